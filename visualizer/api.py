"""Rule: what a page can do, a script can do: this is the same room, the same commands, the same events.

Answers that refuse hold `problems`, one sentence each. The link's token is all the permission there is.
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable
from functools import partial
from typing import Annotated, Any, TypeVar

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError
from ninja.parser import Parser
from pydantic import Field
from pydantic_core import from_json

from packetsim.cluster.objects import NAMELESS
from visualizer import changing, clusters, creating, log, messages, rules
from visualizer.asking import outcome_views
from visualizer.documents import joined
from visualizer.limits import Buckets
from visualizer.log import LostError
from visualizer.map_svg import map_svg
from visualizer.map_words import Language
from visualizer.refusals import RefusedError
from visualizer.rooms import Room, in_thread, rooms
from visualizer.schemas import (
    Answer,
    Command,
    DocumentView,
    Fork,
    Happened,
    KernelView,
    LabExport,
    LabLinks,
    LabView,
    NewLab,
    OutcomeView,
    Problems,
    Role,
    RulesView,
    Transport,
)
from visualizer.seen import Seen
from visualizer.sessions import Session

MOST_EVENTS = 500
MOST_AT_ONCE, MOST_A_SECOND = 120, 60  # commands from one address
NOT_OF_THE_CLUSTER = (*NAMELESS, "FlowTest")  # what `kubectl apply` would refuse
_ENDLESS = "private, max-age=31536000, immutable"
_RESPONSES: dict[int, Any] = {403: Problems, 404: Problems, 422: Problems}
_TOO_MANY = "Many labs were started from your address within an hour. Wait a while, then try again."
Result = TypeVar("Result")
_asked = Buckets(MOST_AT_ONCE, MOST_A_SECOND)


class _JsonParser(Parser):
    """JSON read by pydantic's parser, which bounds its depth."""

    def parse_body(self, request: HttpRequest) -> Any:
        return from_json(request.body, allow_inf_nan=False)


api = NinjaAPI(
    title="Packetwalk",
    version="1",
    description="Labs: build a cluster, send packets, read the rules they met. A lab's link ends in its token.",
    parser=_JsonParser(),
    docs_url="/docs",
    openapi_url="/openapi.json",
    urls_namespace="api",
)


class _ForbiddenError(Exception):
    pass


class _MissingError(Exception):
    pass


# ---- refusals -------------------------------------------------------------------------------------------------


def _problems(status: int, *problems: str) -> HttpResponse:
    return HttpResponse(Problems(problems=list(problems)).model_dump_json(), "application/json", status)


@api.exception_handler(RefusedError)
def _refused(request: HttpRequest, error: RefusedError) -> HttpResponse:
    return _problems(422, *error.problems)


@api.exception_handler(LostError)
def _lost(request: HttpRequest, error: LostError) -> HttpResponse:
    return _problems(404, "There is no such lab: its link is wrong, or it has expired. Make a new one.")


@api.exception_handler(_MissingError)
def _missing(request: HttpRequest, error: _MissingError) -> HttpResponse:
    return _problems(404, str(error))


@api.exception_handler(_ForbiddenError)
def _forbidden(request: HttpRequest, error: _ForbiddenError) -> HttpResponse:
    return _problems(403, "This link does not allow it. Use one that does, or fork the lab.")


@api.exception_handler(RequestDataTooBig)
def _too_big(request: HttpRequest, error: RequestDataTooBig) -> HttpResponse:
    return _problems(413, "That is too large. Send less at once.")


@api.exception_handler(HttpError)
def _http(request: HttpRequest, error: HttpError) -> HttpResponse:
    return _problems(error.status_code, f"{str(error)[:300]}. See /api/v1/docs.")


@api.exception_handler(ValidationError)
def _invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    told = []
    for one in error.errors[: messages.MOST_TOLD]:
        place = ".".join(str(step)[:60] for step in one["loc"][1:])
        told.append(f"{place or 'The request'}: {str(one['msg'])[:300].rstrip('.')}. See /api/v1/docs.")
    return _problems(422, *told)


# ---- who asks -------------------------------------------------------------------------------------------------


async def _found(token: str, *allowed: Role) -> tuple[Room, Role]:
    """The lab's room. Raises LostError, and _ForbiddenError where only other roles may."""
    lab, role = await in_thread(lambda: log.find(token))
    if allowed and role not in allowed:
        raise _ForbiddenError
    return rooms.of(lab), role


async def _read(token: str, take: Callable[[Session], Callable[[], Result]]) -> Result:
    room, _ = await _found(token)
    return await room.read(take)


def _json(text: str) -> HttpResponse:
    return HttpResponse(text, "application/json")


def _may_create(request: HttpRequest) -> HttpResponse | None:
    return None if creating.may_create(request, time.monotonic()) else _problems(429, _TOO_MANY)


# ---- labs -----------------------------------------------------------------------------------------------------


@api.post("/labs", response={201: LabLinks, 422: Problems, 429: Problems}, summary="Make a lab")
async def make_lab(request: HttpRequest, new: NewLab) -> Any:
    """Without manifests it is the shop, with a packet on its way. Keep the owner's link: it is told this once."""
    return _may_create(request) or (201, await in_thread(lambda: creating.new_lab(new)))


@api.get("/labs/{token}", response={200: LabView, **_RESPONSES}, summary="All that a page begins with")
async def view_lab(request: HttpRequest, token: str, at: int | None = None) -> Any:
    """`at`: as it was after that event; then without its traces' kernels."""
    room, role = await _found(token)

    def look(session: Session) -> Callable[[], str]:
        seen = session.seen()

        def write() -> str:
            shown = seen if at is None else log.state_at(room.lab, at).seen()
            return shown.view(role, log.expires(room.lab)).model_dump_json()

        return write

    return _json(await room.read(look))


@api.delete("/labs/{token}", response={204: None, **_RESPONSES}, summary="Delete the lab (its owner)")
async def delete_lab(request: HttpRequest, token: str) -> Any:
    room, _ = await _found(token, "owner")
    await room.end()
    return 204, None


@api.get("/labs/{token}/links", response={200: LabLinks, **_RESPONSES}, summary="The lab's links (its owner)")
async def lab_links(request: HttpRequest, token: str) -> Any:
    room, _ = await _found(token, "owner")
    return log.links(token, room.lab)


@api.post(
    "/labs/{token}/fork",
    response={201: LabLinks, 429: Problems, **_RESPONSES},
    summary="A new lab that begins as this one was after an event",
)
async def fork_lab(request: HttpRequest, token: str, fork: Fork) -> Any:
    refused = _may_create(request)
    if refused is not None:
        return refused
    room, _ = await _found(token)

    def look(session: Session) -> Callable[[], LabLinks]:
        seq = session.seq if fork.seq is None else fork.seq

        def make() -> LabLinks:
            lab, owner = log.forked(room.lab, seq)
            return log.links(owner, lab)

        return make

    return 201, await room.read(look)


# ---- commands and events ----------------------------------------------------------------------------------------


@api.post(
    "/labs/{token}/commands",
    response={200: Answer, 429: Problems, **_RESPONSES},
    summary="Do something: apply, patch, delete, send, burst, compare, …",
)
async def do(request: HttpRequest, token: str, command: Command) -> Any:
    if not _asked.take(creating.address_of(request), time.monotonic()):
        return _problems(429, "Too many commands at once. Wait a moment, then ask again.")
    room, _ = await _found(token, "owner", "editor")
    told = await room.ask(command)
    events = ",".join(map(messages.happened, told.events))
    return _json(f'{{"seq":{told.seq},"events":[{events}]}}')


@api.get("/labs/{token}/events", response={200: list[Happened], **_RESPONSES}, summary="What happened after an event")
async def events(
    request: HttpRequest,
    token: str,
    after: Annotated[int, Field(ge=0, le=2**31 - 1)] = 0,
    limit: Annotated[int, Field(ge=1, le=MOST_EVENTS)] = 100,
) -> Any:
    room, _ = await _found(token)
    found = await in_thread(lambda: log.after(room.lab.pk, after, limit))
    return _json(f"[{','.join(map(messages.happened, found))}]")


@api.get("/labs/{token}/outcomes", response={200: list[OutcomeView], **_RESPONSES}, summary="Exact odds of a flow")
async def outcomes(
    request: HttpRequest,
    token: str,
    source: Annotated[str, Field(max_length=520)],
    target: Annotated[str, Field(max_length=520)],
    protocol: Transport | None = None,
    via: Annotated[str, Field(max_length=253)] | None = None,
) -> Any:
    return await _read(token, lambda session: session.odds(outcome_views, source, target, protocol, via))


# ---- objects ----------------------------------------------------------------------------------------------------


@api.get(
    "/labs/{token}/documents", response={200: list[DocumentView], **_RESPONSES}, summary="The manifests, one by one"
)
async def documents(request: HttpRequest, token: str) -> Any:

    def look(session: Session) -> Callable[[], str]:
        found = session.state.documents
        return lambda: f"[{','.join(changing.document_view(one).model_dump_json() for one in found.values())}]"

    return _json(await _read(token, look))


@api.get("/labs/{token}/manifests.yaml", summary="The manifests as `kubectl apply -f` takes them")
async def manifests(request: HttpRequest, token: str, everything: bool = False) -> HttpResponse:
    """`everything`: also kube-proxy's configuration and FlowTests, which are no objects of a cluster."""

    def look(session: Session) -> Callable[[], str]:
        found = session.state.documents.values()
        return lambda: joined(one for one in found if everything or one.kind not in NOT_OF_THE_CLUSTER)

    return _file(await _read(token, look), "application/yaml", "manifests.yaml")


@api.get("/labs/{token}/lab.json", response={200: LabExport, **_RESPONSES}, summary="The whole lab, its log included")
async def export_lab(request: HttpRequest, token: str) -> HttpResponse:
    room, _ = await _found(token)

    def look(session: Session) -> Callable[[], str]:
        seen = session.seen()
        return lambda: log.exported(room.lab, seen).model_dump_json()

    text = await room.read(look)
    return _file(text, "application/json", "lab.json")


@api.get("/labs/{token}/map.svg", summary="The cluster's map as a picture")
async def picture(
    request: HttpRequest,
    token: str,
    trace: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = None,
    lang: Language = "en",
) -> HttpResponse:
    """SVG that stands alone, light or dark as its viewer prefers. `trace`: the way of that walk's request is marked."""
    document = None if trace is None else from_json(zlib.decompress((await _trace(token, trace))[0]))

    def draw(seen: Seen) -> str:
        state = seen.state
        cluster = clusters.cluster_view(seen.manifests.cluster, state.documents)
        return map_svg(cluster, state.title, state.mode, document, trace or 0, lang)

    return _file(
        await _read(token, lambda session: partial(draw, session.seen())),
        "image/svg+xml",
        f"map-{trace}.svg" if trace else "map.svg",
    )


# ---- traces -------------------------------------------------------------------------------------------------------


@api.get("/labs/{token}/traces/{int:number}", summary="A walk, step by step (docs/trace.md)")
async def trace(request: HttpRequest, token: str, number: int) -> HttpResponse:
    """Never changes. `Content-Encoding: deflate` for whoever takes it."""
    document = (await _trace(token, number))[0]
    response = HttpResponse(content_type="application/json")
    if "deflate" in request.headers.get("Accept-Encoding", ""):
        response.content, response["Content-Encoding"] = document, "deflate"
    else:
        response.content = zlib.decompress(document)
    response["Cache-Control"], response["Vary"] = _ENDLESS, "Accept-Encoding"
    return response


@api.get("/labs/{token}/traces/{int:number}.pcapng", summary="A walk as Wireshark reads it")
async def capture(request: HttpRequest, token: str, number: int) -> HttpResponse:
    found = zlib.decompress((await _trace(token, number))[1])
    response = _file(found, "application/x-pcapng", f"trace-{number}.pcapng")
    response["Cache-Control"] = _ENDLESS
    return response


async def _trace(token: str, number: int) -> tuple[bytes, bytes]:
    room, _ = await _found(token)
    found = await in_thread(lambda: log.trace(room.lab.pk, number)) if number < 2**31 else None
    if found is None:
        raise _MissingError(f"There is no trace {number} in this lab. The events tell which there are.")
    return bytes(found.document), bytes(found.capture)


# ---- nodes --------------------------------------------------------------------------------------------------------


@api.get(
    "/labs/{token}/nodes/{node}/rules", response={200: RulesView, **_RESPONSES}, summary="A node's rules, line by line"
)
async def node_rules(request: HttpRequest, token: str, node: str) -> Any:
    """With what made each line, and how many packets have matched it."""

    def look(session: Session) -> Callable[[], str]:
        seen, seq = rules.seen_node(session.simulation, node), session.seq
        return lambda: rules.rules_view(seen, seq).model_dump_json()

    return _json(await _read(token, look))


@api.get("/labs/{token}/nodes/{node}/rules.txt", summary="A node's rules as its tools print them")
async def node_rules_text(request: HttpRequest, token: str, node: str, part: str = "") -> HttpResponse:

    def look(session: Session) -> Callable[[], str]:
        return partial(rules.rules_text, rules.seen_node(session.simulation, node), part)

    text = await _read(token, look)
    return HttpResponse(text, "text/plain; charset=utf-8")


@api.get(
    "/labs/{token}/nodes/{node}/kernel", response={200: KernelView, **_RESPONSES}, summary="A node's conntrack and IPVS"
)
async def node_kernel(request: HttpRequest, token: str, node: str) -> Any:

    def look(session: Session) -> Callable[[], str]:
        view = rules.kernel_view(session.simulation, node)
        return lambda: view().model_dump_json()

    return _json(await _read(token, look))


def _file(content: str | bytes, kind: str, name: str) -> HttpResponse:
    response = HttpResponse(content, kind)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
