"""Declared attributes: their names, the type that fits a column, and the JSON object they are stored in."""

import hashlib
import json
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.dates import ISO_PATTERN

TRUE: Final = ("true", "yes", "y", "t", "1", "oui")
FALSE: Final = ("false", "no", "n", "f", "0", "non")

#: Columns that are about a person and say nothing about a purchase: never taken in unless declared by name.
_PERSONAL: Final = re.compile(
    r"(e_?mails?|mail|e_?mail_address|(full|first|last|middle|given|family|sur|contact|lead)?_?name|prenom|nom|"
    r"((mobile|home|work|cell)_?)?(tele)?phone(_?(number|no))?|mobile(_?(number|no))?|tel|fax|(street_?)?address|street|"
    r"(date_of_birth|birth_?(date|day)|dob)|ssn|passport|iban|ip_?(address)?|linkedin(_url)?)"
)
_MAIL_PATTERN: Final = r"^[^@\s]+@[^@\s]+\.[^@\s]+$"
_NUMBER_PATTERN: Final = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"
_INFINITE_PATTERN: Final = r"(?i)^[+-]?inf(inity)?$"
_TRUTH_PATTERN: Final = r"(?i)^(true|false|yes|no|y|n|t|f)$"

#: A text column is taken for an id, of no use in any sum, if of at least this many values this share differs.
_ID_VALUES: Final = 200
_ID_SHARE: Final = 0.95


@dataclass(frozen=True)
class Attribute:
    """One declared attribute of a file."""

    column: str
    """Its name in the file."""
    name: str
    """Its name in the store: an identifier."""
    kind: str
    """numeric, categorical, boolean, date or ignored."""


def attribute_name(label: str) -> str:
    """The identifier of an attribute: a-z, 0-9 and underscores, not starting with a digit.

    Examples
    --------
    >>> attribute_name("emp.var.rate"), attribute_name("Âge (ans)"), attribute_name("2nd call")
    ('emp_var_rate', 'age_ans', 'a_2nd_call')
    """
    plain = unicodedata.normalize("NFKD", label).encode("ascii", "ignore").decode().lower()
    name = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")
    if not name:  # nothing Latin in it: a name that does not depend on the other columns
        return "attribute_" + hashlib.sha256(label.encode()).hexdigest()[:8]
    return f"a_{name}" if name[0].isdigit() else name


def attribute_names(labels: Iterable[str]) -> dict[str, str]:
    """The identifier of each label; one that is taken already gets a number behind it.

    Examples
    --------
    >>> attribute_names(["Page views", "page_views"])
    {'Page views': 'page_views', 'page_views': 'page_views_2'}
    """
    names: dict[str, str] = {}
    for label in labels:
        name, number = attribute_name(label), 1
        while name in names.values():
            number += 1
            name = f"{attribute_name(label)}_{number}"
        names[label] = name
    return names


def numbers(text: pa.Array, *, decimal: str) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """Text as numbers, and which texts are one; infinity is a number here, NaN none.

    Examples
    --------
    >>> numbers(pa.array(["1,5", "-inf", "many"]), decimal=",")
    (array([ 1.5, -inf,  nan]), array([ True,  True, False]))
    """
    plain = pc.replace_substring(text, ",", ".") if decimal == "," else text
    good = pc.or_(pc.match_substring_regex(plain, _NUMBER_PATTERN), pc.match_substring_regex(plain, _INFINITE_PATTERN))
    kept = pc.if_else(good, plain, pa.scalar(None, pa.string()))
    # Arrow reads "inf" but not "Infinity"; the sign stays in front either way.
    values = pc.cast(pc.replace_substring_regex(pc.utf8_lower(kept), "infinity", "inf"), pa.float64())
    array = np.asarray(values.fill_null(np.nan), dtype=np.float64)
    return array, ~np.isnan(array)


def truths(text: pa.Array) -> pa.Array:
    """Text as "true" and "false"; null where it is neither."""
    lower = pc.utf8_lower(text)
    no = pc.if_else(pc.is_in(lower, pa.array(FALSE)), pa.scalar("false"), pa.scalar(None, pa.string()))
    return pc.if_else(pc.is_in(lower, pa.array(TRUE)), pa.scalar("true"), no)


def as_json(columns: Mapping[str, pa.Array], rows: int) -> pa.Array:
    """One JSON object per row: name -> text, names in order, without what is missing.

    Examples
    --------
    >>> as_json({"b": pa.array(["x", None]), "a": pa.array(['say "yes"', "2"])}, 2).to_pylist()
    ['{"a":"say \\\\"yes\\\\"","b":"x"}', '{"a":"2"}']
    """
    # Every part brings its own comma: with null_handling="skip", Arrow loses the rows of which every part is null.
    parts = [pa.array([""] * rows, pa.string())]
    for name in sorted(columns):
        coded = columns[name].dictionary_encode()
        quoted = [f',"{name}":{json.dumps(value, ensure_ascii=False)}' for value in coded.dictionary.to_pylist()]
        parts.append(pa.array(quoted, pa.string()).take(coded.indices).fill_null(""))
    inside = pc.utf8_slice_codeunits(pc.binary_join_element_wise(*parts, ""), 1)
    return pc.binary_join_element_wise("{", inside, "}", "")


class Inference:
    """Which type fits each column, over all its values; feed it batch by batch."""

    def __init__(self, columns: Iterable[str], *, decimal: str) -> None:
        self.columns = tuple(columns)
        self.decimal = decimal
        self._values = dict.fromkeys(self.columns, 0)
        self._fits: dict[str, dict[str, int]] = {name: {} for name in self.columns}
        self._varied: dict[str, bool] = {}

    def see(self, columns: Mapping[str, pa.Array]) -> None:
        """Take in the next batch, each column cleaned of what stands for "no value"."""
        for name in self.columns:
            text = columns[name].drop_null()
            if not len(text):
                continue
            self._values[name] += len(text)
            fits = {
                "boolean": pc.match_substring_regex(text, _TRUTH_PATTERN),
                "numeric": pa.array(numbers(text, decimal=self.decimal)[1]),
                "date": pc.match_substring_regex(text, ISO_PATTERN),
                "mail": pc.match_substring_regex(text, _MAIL_PATTERN),
            }
            for kind, mask in fits.items():
                self._fits[name][kind] = self._fits[name].get(kind, 0) + int(pc.sum(mask).as_py() or 0)
            if name not in self._varied:  # one batch is enough to tell an id, and holds no more than that in memory
                self._varied[name] = len(text) >= _ID_VALUES and pc.count_distinct(text).as_py() > _ID_SHARE * len(text)

    def kinds(self) -> tuple[dict[str, str], list[str]]:
        """The type of each column that has any value, and a sentence about each that is left out."""
        kinds: dict[str, str] = {}
        said: list[str] = []
        for name in self.columns:
            values, fits = self._values[name], self._fits[name]
            if not values:
                continue
            whole = [kind for kind in ("boolean", "numeric", "date") if fits[kind] == values]
            kinds[name] = whole[0] if whole else "categorical"
            if fits["mail"] * 2 > values or _PERSONAL.fullmatch(attribute_name(name)):
                why = "it looks like personal data"
            elif kinds[name] == "categorical" and self._varied[name]:
                why = "nearly every row has another value, like an id or a free text"
            else:
                continue
            kinds[name] = "ignored"
            said.append(f"Column {name!r} is left out: {why}. To keep it, name it in the mapping.")
        if empty := [name for name in self.columns if not self._values[name]]:
            said.append(f"Columns without any value, left out: {', '.join(map(repr, empty[:10]))}.")
        return kinds, said
