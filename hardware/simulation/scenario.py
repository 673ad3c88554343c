"""What the clerk does in a played hearing, and when: `timeline.json` of a hearing folder, read and checked.

    {"actions": [
      {"at_s": 0.5, "do": "open", "case": {"case_no", "cause", "title", "parties": {role: name},
        "vocabulary": {"place": ["尖山区"]}, "public"}},
      {"at_s": 2.0, "do": "exhibit", "file": "iou.pdf", "title": "借条"},
      {"at_s": 9.0, "do": "mark", "kind": "举证", "text": ""},
      {"at_s": 9.5, "do": "present", "file": "iou.pdf", "page": 1, "zoom": 1, "x": 0.5, "y": 0.5},
      {"at_s": 12, "do": "page", "page": 2},
      {"at_s": 13, "do": "zoom", "zoom": 2, "x": 0.5, "y": 0.8},
      {"at_s": 15, "do": "withdraw"},
      {"at_s": 20, "do": "pause", "reason": "recess"},
      {"at_s": 25, "do": "resume"},
      {"at_s": 60, "do": "close"}]}

`at_s` is seconds since the first sample of the hearing's sound. Actions are in the order of time; the first opens, the
last closes, and each is possible where it stands (nothing is presented before it was added, a pause has a lawful
reason). `file` is the bare name of a file of the folder; an exhibit is named by it ever after. `page` shows the page
whole (zoom 1). A folder without a `timeline.json` is opened at 0 and closed with the last sample, with no exhibits.

`Scenario.load` refuses anything else with a `ConfigError`; nothing is done halfway and found wrong later.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from hardware.simulation.hearing_folder import HearingFolder
from sync.errors import ConfigError
from sync.record.docket import CaseTerms
from sync.record.timeline import PauseReason
from sync.runtime.files.handwritten import read_text

BUNDLED_HEARING = Path(__file__).resolve().parents[1] / "hearing"
"""The hearing that ships with the product: a loan dispute, four microphones, 284 s."""
CRIMINAL_HEARING = BUNDLED_HEARING.with_name("hearing_criminal")
"""Another one, of theft: court, prosecutor, defender and accused. Synthesized with Kokoro-82M from its `script.txt`."""


class _Action(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    at_s: float = Field(ge=0, lt=86_400, description="seconds since the first sample")


class ScenarioCase(BaseModel):
    """The case as the form for an unlisted case takes it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    case_no: str = Field(min_length=1, description="案号")
    cause: str = Field(min_length=1, description="案由")
    title: str = Field(min_length=1)
    parties: dict[str, str] = Field(description="role -> name")
    vocabulary: CaseTerms = Field(default_factory=dict, description="what will be said, by its kind")
    public: bool = True


class Open(_Action):
    """宣布开庭."""

    do: Literal["open"]
    case: ScenarioCase


class AddExhibit(_Action):
    """Add a file of the folder to the hearing's exhibits."""

    do: Literal["exhibit"]
    file: str
    title: str = Field(min_length=1)


class Present(_Action):
    """Put a page of an exhibit on the screens, in the place of what was there."""

    do: Literal["present"]
    file: str
    page: int = Field(1, ge=1)
    zoom: float = Field(1.0, ge=1, le=16)
    x: float = Field(0.5, ge=0, le=1)
    y: float = Field(0.5, ge=0, le=1)


class ScenarioPage(_Action):
    """Turn to a page of what is presented; it is shown whole."""

    do: Literal["page"]
    page: int = Field(ge=1)


class Zoom(_Action):
    """Look closer at the page that is presented; `x` and `y` are the point in the middle, 0 to 1."""

    do: Literal["zoom"]
    zoom: float = Field(ge=1, le=16)
    x: float = Field(0.5, ge=0, le=1)
    y: float = Field(0.5, ge=0, le=1)


class Withdraw(_Action):
    """Take the exhibit off the screens."""

    do: Literal["withdraw"]


class ScenarioMark(_Action):
    """Note something at this moment."""

    do: Literal["mark"]
    kind: str = Field(min_length=1, max_length=40)
    text: str = Field("", max_length=500)


class ScenarioPause(_Action):
    """休庭: the record stops, for one of the lawful reasons."""

    do: Literal["pause"]
    reason: PauseReason


class Resume(_Action):
    """继续开庭."""

    do: Literal["resume"]


class Close(_Action):
    """闭庭."""

    do: Literal["close"]


Action = Open | AddExhibit | Present | ScenarioPage | Zoom | Withdraw | ScenarioMark | ScenarioPause | Resume | Close


class Scenario(BaseModel):
    """All that the clerk does, in the order of time. Iterate over `actions`; `views` says what is on the screens."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    actions: list[Annotated[Action, Field(discriminator="do")]] = Field(min_length=2)

    @classmethod
    def load(cls, folder: Path) -> Scenario:
        """The scenario of a hearing folder; `ConfigError` says what is wrong with it, and where."""
        path = folder / "timeline.json"
        if not path.exists():
            return cls._whole(folder)
        try:
            scenario = cls.model_validate(json.loads(read_text(path, "the scenario")))
        except json.JSONDecodeError as error:
            raise ConfigError(f"{path} is not JSON: {error}; correct it or remove it") from error
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"]) or "the top"
            raise ConfigError(f"{path} is wrong at {where}: {first['msg']}") from error
        _check(scenario, folder, path)
        return scenario

    @classmethod
    def _whole(cls, folder: Path) -> Scenario:
        case = ScenarioCase(case_no="演示", cause="演示", title=folder.resolve().name, parties={})
        end_s = HearingFolder(folder).duration_s
        return cls(actions=[Open(at_s=0, do="open", case=case), Close(at_s=end_s, do="close")])

    @property
    def case(self) -> ScenarioCase:
        """The case that is heard."""
        return next(action.case for action in self.actions if isinstance(action, Open))

    @property
    def end_s(self) -> float:
        """When the hearing closes."""
        return self.actions[-1].at_s

    def views(self) -> Iterator[tuple[float, ScenarioView | None]]:
        """Every change of the screens: (seconds, what is shown from then on or None)."""
        view: ScenarioView | None = None
        for action in self.actions:
            before = view
            view = _after(view, action)
            if view is not before:
                yield action.at_s, view


@dataclass(frozen=True)
class ScenarioView:
    """What is on the screens: a page of an exhibit, by the name of its file, and which part of it."""

    file: str
    page: int = 1
    zoom: float = 1.0
    x: float = 0.5
    y: float = 0.5


def _after(view: ScenarioView | None, action: Action) -> ScenarioView | None:
    """What the screens show after `action`; a pause and the close take everything off."""
    match action:
        case Present():
            return ScenarioView(action.file, action.page, action.zoom, action.x, action.y)
        case ScenarioPage() if view is not None:
            return ScenarioView(view.file, action.page)
        case Zoom() if view is not None:
            return replace(view, zoom=action.zoom, x=action.x, y=action.y)
        case Withdraw() | ScenarioPause() | Close():
            return None
        case _:
            return view


def _check(scenario: Scenario, folder: Path, path: Path) -> None:
    """Refuse what could not be done: the order, the files, the state at each action."""
    added: set[str] = set()
    shown: ScenarioView | None = None
    paused = False
    at_s = 0.0
    for number, action in enumerate(scenario.actions):
        wrong: str | None = None
        if action.at_s < at_s:
            wrong = f"it is before the action above it ({at_s} s)"
        elif isinstance(action, Open) != (number == 0):
            wrong = "the first action opens the hearing, and no other"
        elif isinstance(action, Close) != (number == len(scenario.actions) - 1):
            wrong = "the last action closes the hearing, and no other"
        elif isinstance(action, AddExhibit):
            wrong = _bad_file(folder, action.file) or ("it was added before" if action.file in added else None)
            added.add(action.file)
        elif isinstance(action, Present) and action.file not in added:
            wrong = f"{action.file} was not added before as an exhibit"
        elif isinstance(action, ScenarioPage | Zoom | Withdraw) and shown is None:
            wrong = "nothing is presented at that time"
        elif isinstance(action, ScenarioPause | Present) and paused:
            wrong = "the hearing is in recess at that time"
        elif isinstance(action, Resume) and not paused:
            wrong = "the hearing is not in recess at that time"
        if wrong is not None:
            raise ConfigError(f"{path}: action {number + 1} ({action.do} at {action.at_s} s): {wrong}")
        at_s = action.at_s
        shown = _after(shown, action)
        paused = isinstance(action, ScenarioPause) or (paused and not isinstance(action, Resume))


def _bad_file(folder: Path, name: str) -> str | None:
    if Path(name).name != name or name in {"", ".", ".."}:
        return f"{name!r} is not the bare name of a file in the folder"
    if not (folder / name).is_file():
        return f"there is no {name} in the folder"
    return None
