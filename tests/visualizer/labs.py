"""Rule: what tests build labs from: the shop, dice with a seed, and large labs."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import TypeVar

from packetsim.dice import Dice, RolledDice
from visualizer.schemas import Bursted, Changed, Command, Event, Traced
from visualizer.sessions import Session, new_state

SHOP = (Path(__file__).parents[2] / "shop.yaml").read_text()
CLIENT, WEB = "shop/client", "shop/web"
Kind = TypeVar("Kind", bound=Event)


def dice(seq: int) -> Dice:
    return RolledDice(Random(f"test:{seq}").randrange)


def shop(mode: str = "") -> Session:
    return Session(new_state(SHOP, "Shop", mode), 0, dice)


def event_of(session: Session, command: Command) -> Event:
    (event,) = session.handle(command).events
    return event


def change(session: Session, command: Command) -> Changed:
    event = event_of(session, command)
    assert isinstance(event, Changed)
    return event


def walk(session: Session, command: Command) -> Traced:
    event = event_of(session, command)
    assert isinstance(event, Traced)
    return event


def burst(session: Session, command: Command) -> Bursted:
    event = event_of(session, command)
    assert isinstance(event, Bursted)
    return event


def large(services: int, replicas: int) -> str:
    """Two nodes, a client, and so many Services, each before a Deployment."""
    documents = [
        "apiVersion: v1\nkind: Pod\nmetadata: {name: client, namespace: shop}\n"
        "spec: {nodeName: node1, containers: [{name: shell}]}\n"
    ]
    documents.extend(
        f"apiVersion: v1\nkind: Node\nmetadata: {{name: node{node}}}\nspec: {{podCIDR: 10.{243 + node}.0.0/16}}\n"
        for node in (1, 2)
    )
    for number in range(services):
        documents.append(
            f"apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: s{number}, namespace: shop}}\nspec:\n"
            f"  replicas: {replicas}\n  selector: {{matchLabels: {{app: s{number}}}}}\n"
            f"  template:\n    metadata: {{labels: {{app: s{number}}}}}\n"
            f"    spec: {{containers: [{{name: web, ports: [{{containerPort: 8080}}]}}]}}\n"
        )
        documents.append(
            f"apiVersion: v1\nkind: Service\nmetadata: {{name: s{number}, namespace: shop}}\n"
            f"spec: {{selector: {{app: s{number}}}, ports: [{{port: 80, targetPort: 8080}}]}}\n"
        )
    return "---\n".join(documents)
