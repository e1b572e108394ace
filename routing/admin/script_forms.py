"""Forms that hold a Sieve script: it is compiled before it is saved, and its errors are shown at their lines."""

from collections.abc import Sequence
from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminTextareaWidget

from routing.scripts.names import ScriptNameInvalid, script_name
from routing.sieve.errors import InvalidScript, ScriptError
from routing.sieve.language import standard
from routing.sieve.limits import SCRIPT_SIZE_MAXIMUM


class ScriptEditor(UnfoldAdminTextareaWidget):
    """A text area with numbered lines, those with errors marked."""

    template_name = "admin/routing/script_editor.html"
    errors: Sequence[ScriptError] = ()

    def __init__(self) -> None:
        super().__init__(attrs={"rows": 24, "spellcheck": "false", "wrap": "off"})

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context(name, value, attrs)
        context["marks"] = {
            str(line): "\n".join(error.message for error in self.errors if error.line == line)
            for line in sorted({error.line for error in self.errors})
        }
        context["places"] = [[error.line, error.column, str(error)] for error in self.errors]
        return context


class ScriptForm(forms.ModelForm):  # type: ignore[type-arg]
    """The form of a model with `name` and `content`, which is `text` here. `warnings` are those of the script, once it is clean."""

    text = forms.CharField(
        label="Script",
        strip=False,
        max_length=SCRIPT_SIZE_MAXIMUM,
        widget=ScriptEditor(),
        help_text="Sieve (RFC 5228). A script with errors is not saved.",
    )
    warnings: tuple[ScriptError, ...] = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk is not None:
            self.initial["text"] = bytes(self.instance.content).decode("utf-8", "replace")

    def clean_name(self) -> str:
        try:
            return script_name(self.cleaned_data["name"])
        except ScriptNameInvalid as error:
            raise forms.ValidationError(str(error)) from None

    def clean_text(self) -> str:
        text: str = self.cleaned_data["text"]
        try:
            self.warnings = standard().compile(text.encode("utf-8", "replace")).warnings
        except InvalidScript as invalid:
            editor = self.fields["text"].widget
            assert isinstance(editor, ScriptEditor)
            editor.errors = invalid.errors
            count = len(invalid.errors)
            raise forms.ValidationError(
                "The script has an error." if count == 1 else f"The script has {count} errors."
            ) from None
        return text

    @property
    def octets(self) -> bytes:
        """The script as it is stored."""
        return str(self.cleaned_data["text"]).encode()
