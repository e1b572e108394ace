"""copy: `:copy` on fileinto and redirect, which keeps the implicit keep (RFC 3894)."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from routing.sieve.actions import Action, FileInto, Redirect
from routing.sieve.language import Extension, TagKind

if TYPE_CHECKING:
    from routing.sieve.interpreter import Run


def _copy(run: "Run", action: Action, value: Any) -> Action:
    return replace(action, copy=True) if isinstance(action, FileInto | Redirect) else action


EXTENSION = Extension("copy", tags=((("fileinto", "redirect"), TagKind("copy", amend=_copy)),))
