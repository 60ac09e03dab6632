// Rule: the lab page's way in: its language, its light, and <packet-lab> with the token that the page was given.
import { startLanguage } from "../i18n";
import "./packet-lab";
import { startTheme } from "./theme";

startLanguage();
startTheme();
