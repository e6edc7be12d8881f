"""Stand-ins for the parts of pydantic that settings use: they hold values and check nothing.

State crosses between both in pydantic's own form (`__getstate__`), so either side reads what the other has written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from inspect import get_annotations
from typing import Any, ClassVar, Self


def Field(default: Any = None, **_: Any) -> Any:
    """Return the default itself."""
    return default


PrivateAttr = Field
ConfigDict = dict


def _unused(*_: Any, **__: Any) -> None:
    """Take what would check values."""


AfterValidator = BeforeValidator = _unused


def model_validator(**_: Any) -> Callable[[Any], Any]:
    """Return a decorator that leaves the function as it is."""
    return lambda function: function


class SecretStr:
    """A text that prints as stars."""

    def __init__(self, text: str) -> None:
        self._secret_value = text

    def get_secret_value(self) -> str:
        """Return the text."""
        return self._secret_value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SecretStr) and self._secret_value == other._secret_value

    def __hash__(self) -> int:
        return hash(self._secret_value)

    def __repr__(self) -> str:
        return "SecretStr('**********')" if self._secret_value else "SecretStr('')"

    def __str__(self) -> str:
        return "**********" if self._secret_value else ""


class BaseModel:
    """Named values with defaults, equal where all values are."""

    model_fields: ClassVar[dict[str, None]] = {}
    model_fields_set: set[str]
    __pydantic_extra__: dict[str, Any] | None

    def __init_subclass__(cls) -> None:
        own = (name for name in get_annotations(cls) if not name.startswith("_"))
        cls.model_fields = {**cls.model_fields, **dict.fromkeys(own)}

    def __init__(self, **given: Any) -> None:
        values = {name: given.get(name, getattr(type(self), name, None)) for name in self.model_fields}
        self.__setstate__({"__dict__": values, "__pydantic_fields_set__": set(given)})

    def __getstate__(self) -> dict[str, Any]:
        private = {name: value for name, value in self.__dict__.items() if name[0] == "_" and name[1] != "_"}
        return {
            "__dict__": {name: self.__dict__[name] for name in self.model_fields},
            "__pydantic_extra__": self.__pydantic_extra__,
            "__pydantic_fields_set__": self.model_fields_set,
            "__pydantic_private__": private or None,
        }

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        self.__dict__.update(state["__dict__"])
        self.__dict__.update(state.get("__pydantic_private__") or {})
        self.__dict__["model_fields_set"] = state["__pydantic_fields_set__"]
        self.__dict__["__pydantic_extra__"] = state.get("__pydantic_extra__")

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Return a copy in which some values are others."""
        assert not deep, "nothing in the daemon needs one"
        copied = object.__new__(type(self))
        copied.__dict__.update(self.__dict__)
        copied.__dict__.update(update or {})
        copied.__dict__["model_fields_set"] = self.model_fields_set | set(update or ())
        return copied

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        mine, others = dict(self.__dict__), dict(other.__dict__)
        # Which values were given is no part of equality, as with pydantic.
        mine.pop("model_fields_set")
        others.pop("model_fields_set")
        return mine == others

    def __hash__(self) -> int:
        return hash((type(self), *(getattr(self, name) for name in self.model_fields)))
