// Rule: the lab page's way in. Its looks and its elements; the page itself is in lab/.
import "../css/tokens.css";
import "../css/page.css";
import "./lab/main";
