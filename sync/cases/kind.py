"""One kind of case (案件种类) as its file says it: roles in their order, what is asked for, papers, marks, level.

Promises: `kind_of_text` takes a whole file or none of it, and says what is wrong at which key, in words that whoever
edits the file understands. Refuses: keys that no kind has, two roles of one name, a title with a field that is no role
of the kind, and files beyond `MAX_KIND_BYTES`.
"""

from __future__ import annotations

import re
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from sync.errors import ConfigError
from sync.runtime.files.handwritten import HandwrittenError, toml_of
from sync.text.fields import LINE

MAX_KIND_BYTES: Final = 64 * 1024
KIND_ID: Final = r"^[a-z][a-z0-9-]{0,31}$"
CAUSE: Final = "案由"
"""The field of a title that is no role."""
_FIELD: Final = re.compile(r"\{([^{}]*)\}")
_Short = Annotated[str, LINE, Field(min_length=1, max_length=40)]
_Title = Annotated[str, LINE, Field(min_length=1, max_length=200)]


class KindFileError(ConfigError):
    """A file of a kind of case that cannot be used; says where."""


class KindRole(BaseModel):
    """What somebody is in a case of this kind."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    name: _Short
    english: _Short
    bench: bool = False
    """Of the court: has to sign, after everybody else."""
    required: bool = False
    """Asked for when an unlisted case is entered, and has to be said."""
    asked: bool = False
    """Asked for, and may be left empty."""


class KindCause(BaseModel):
    """How the cause is called: 案由, 罪名, 听证事项."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    name: _Short = CAUSE
    english: _Short = "Cause of action"
    required: bool = True
    common: list[_Short] = Field(default_factory=list, max_length=12)
    """Causes that are buttons."""


class CaseKind(BaseModel):
    """A kind of case."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    name: _Short
    english: _Short
    types: list[_Short] = Field(default_factory=list, max_length=12)
    """Type words that are buttons, in their order."""
    phrases: Literal["民事", "刑事", "行政", ""] = ""
    """Which set phrases are of this kind; empty: all of them."""
    paper: _Short = "法庭笔录"
    """The heading of the transcript."""
    public: bool = True
    """Whether cases of this kind are heard in public unless somebody says otherwise."""
    title: _Title = "{案由}"
    """How a case is called, with roles and 案由 in braces."""
    notices: list[Annotated[list[_Short], Field(min_length=1, max_length=12)]] = Field(
        default_factory=list, max_length=20
    )
    """What has to be said in a hearing: of each, one of these wordings."""
    marks: list[_Short] = Field(default_factory=list, max_length=12)
    cause: KindCause = Field(default_factory=KindCause)
    role: list[KindRole] = Field(min_length=1, max_length=40)
    """In the order in which a court names them, the bench first."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        names = [role.name for role in self.role]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise ValueError(f"诉讼地位“{twice}”写了两次；two roles are called {twice}")
        strange = next((field for field in _FIELD.findall(self.title) if field not in (CAUSE, *names)), None)
        if strange is not None:
            raise ValueError(
                f"title 里的“{{{strange}}}”不是这里的诉讼地位；{strange} in the title is no role of this kind"
            )
        return self

    @property
    def roles(self) -> list[str]:
        """Their names, in order."""
        return [role.name for role in self.role]

    @property
    def bench(self) -> list[str]:
        """The roles of the court."""
        return [role.name for role in self.role if role.bench]


def kind_of_text(text: str, name: str) -> CaseKind:
    """Read a file, which errors call `name`; `KindFileError` says what is wrong with it."""
    if len(text.encode()) > MAX_KIND_BYTES:
        most = MAX_KIND_BYTES // 1024
        raise KindFileError(f"{name}：文件超过 {most} KiB ({name}: the file is larger than {most} KiB)")
    try:
        raw = toml_of(text)
    except HandwrittenError as error:
        raise KindFileError(error.of(name).message) from None
    try:
        return CaseKind.model_validate(raw)
    except ValidationError as error:
        what, english = _in_words(error)
        raise KindFileError(f"{name}：{what} ({name}: {english})") from None


def _in_words(error: ValidationError) -> tuple[str, str]:
    """The first mistake, in both languages."""
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(part + 1) if isinstance(part, int) else part for part in first["loc"])[:80]
    if first["type"] == "missing":
        return f"缺少 {where}", f"{where} is missing"
    if first["type"] == "extra_forbidden":
        return f"不认识“{where}”", f"{where} is not known"
    said = str(first["msg"]).removeprefix("Value error, ")
    if first["type"] == "value_error":
        what, _, english = said.partition("；")
        return what, english
    return f"“{where}”不合要求", f"{where}: {said}"
