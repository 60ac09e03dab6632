"""Rule: the words of the map as a file, in both languages. Where the page has a word for it, the words are the page's.

Keys are those of the page's catalogues (static/src/i18n); what only a file says begins with `file.`.
"""

from __future__ import annotations

from typing import Literal

Language = Literal["en", "zh-hans"]
TAGS: dict[Language, str] = {"en": "en", "zh-hans": "zh-Hans"}

WORDS: dict[str, tuple[str, str]] = {
    "map.outside": ("outside", "集群外"),
    "map.wire": ("the wire", "线路"),
    "map.router": ("router", "路由器"),
    "map.bridge": ("bridge", "网桥"),
    "map.kernel": ("kernel", "内核"),
    "map.proxy": ("kube-proxy", "kube-proxy"),
    "map.zone": ("zone {zone}", "可用区 {zone}"),
    "map.more": ("+{count} more", "另有 {count} 个"),
    "map.empty": ("There is no node yet.", "还没有节点。"),
    "map.notReady": ("not ready", "未就绪"),
    "map.terminating": ("terminating", "终止中"),
    "map.silent": ("silent", "无响应"),
    "map.deaf": ("not listening", "未监听"),
    "map.hostNetwork": ("host network", "主机网络"),
    "map.noAddress": ("no address", "无地址"),
    "map.headless": ("headless", "无头"),
    "map.pod": ("Pod {place}, {address}, on {node}", "Pod {place}，{address}，位于 {node}"),
    "map.node": ("Node {name}, {address}", "节点 {name}，{address}"),
    "map.outsideAt": ("Outside the cluster, {address}", "集群外，{address}"),
    "map.station.prerouting": ("PRE", "PRE"),
    "map.station.routing": ("route", "路由"),
    "map.station.input": ("IN", "IN"),
    "map.station.forward": ("FWD", "FWD"),
    "map.station.output": ("OUT", "OUT"),
    "map.station.postrouting": ("POST", "POST"),
    "outcome.delivered": ("delivered", "已送达"),
    "outcome.rejected": ("rejected", "已拒绝"),
    "outcome.dropped": ("dropped", "已丢弃"),
    "outcome.refused": ("refused", "无人监听"),
    "outcome.unanswered": ("unanswered", "无应答"),
    "file.title": ("{title}: map of the cluster", "{title}：集群地图"),
    "file.service": (
        "Service {name}, {address}; endpoints: {endpoints}",
        "Service {name}，{address}；端点：{endpoints}",
    ),
    "file.none": ("none", "无"),
    "file.counts": (
        "Nodes: {nodes}. Pods: {pods}. Services: {services}.",
        "节点：{nodes}。Pod：{pods}。Service：{services}。",
    ),
    "file.homeless": ("Pods without a node: {count}", "没有节点的 Pod：{count}"),
    "file.mode": ("kube-proxy mode {mode}", "kube-proxy 模式 {mode}"),
    "file.walk": ("Walk {number}: {source} to {target}, {mode}", "第 {number} 次行走：{source} 到 {target}，{mode}"),
    "file.sends": ("{source} → {target}", "{source} → {target}"),
    "file.destination": ("destination {old} becomes {new}", "目的地址 {old} 变为 {new}"),
    "file.source": ("source {old} becomes {new}", "源地址 {old} 变为 {new}"),
    "file.accepts": ("kube-proxy accepts it", "kube-proxy 接受连接"),
    "file.passes": ("passes it on", "转发"),
    "file.stops": ("and {count} more", "另有 {count} 个"),
}


def say(language: Language, key: str, **given: object) -> str:
    """The words of a key; the last part of the key itself where there is none."""
    known = WORDS.get(key)
    text = known[0 if language == "en" else 1] if known else key.rpartition(".")[2]
    return text.format_map(given)
