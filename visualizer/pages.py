"""Rule: what the server's own few pages say, in both languages; the lab's words stand in the front end's catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

Language = Literal["en", "zh"]
LANGUAGE_TAGS: Mapping[Language, str] = {"en": "en", "zh": "zh-Hans"}
WORDS: Mapping[Language, Mapping[str, str]] = {
    "en": {
        "title": "Packetwalk",
        "lost": "This lab is not here",
        "lost_text": "Its link is wrong, or nobody has used it for {days} days and it has expired.",
        "new": "Start a new lab",
        "unbuilt": "The page is not built yet",
        "unbuilt_text": "The server runs. Build the front end, then load this page again:",
        "busy": "Too many new labs",
        "busy_text": "Many labs were started from your address within an hour. Wait a while, then try again.",
        "no_script": "Packetwalk draws packets with JavaScript. Turn it on for this page.",
    },
    "zh": {
        "title": "Packetwalk",
        "lost": "这个实验室不在这里",
        "lost_text": "链接有误，或者它已有 {days} 天无人使用，已经过期。",
        "new": "新建实验室",
        "unbuilt": "页面尚未构建",
        "unbuilt_text": "服务器正在运行。请构建前端，然后重新加载本页：",
        "busy": "新建的实验室太多",
        "busy_text": "一小时内从您的地址新建了许多实验室。请稍候再试。",
        "no_script": "Packetwalk 用 JavaScript 绘制数据包。请为本页启用 JavaScript。",
    },
}


def language_of(accepted: str) -> Language:
    """From an Accept-Language header: Chinese if it comes before English."""
    for part in accepted.lower()[:500].split(","):
        tag = part.partition(";")[0].strip()
        if tag.startswith("zh"):
            return "zh"
        if tag.startswith("en"):
            return "en"
    return "en"
