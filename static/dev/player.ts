// Rule: the developer's page: a player with whatever the address asks for.
import "../src/player";
import { setLanguage } from "../src/i18n";

const asked = new URLSearchParams(location.search);
const player = document.querySelector("packet-player")!;
if (asked.get("lang") === "zh-hans") setLanguage("zh-hans", false);
const theme = asked.get("theme");
if (theme !== null) document.documentElement.dataset["theme"] = theme;
const cluster = asked.get("cluster");
if (cluster !== null) player.cluster = await (await fetch(`./traces/${encodeURIComponent(cluster)}.json`)).json();
player.view = (asked.get("view") ?? "map") as typeof player.view;
player.step = Number(asked.get("step") ?? 0);
player.autoplay = asked.has("autoplay");
player.src = `./traces/${encodeURIComponent(asked.get("trace") ?? "shop")}.json`;
