import json
import subprocess
import sys

import pytest
from pydantic import ValidationError

from tandem.ranking.presets import Preset
from tandem.ranking.recipes import PRESETS, UnknownModel, recipe


@pytest.mark.parametrize("known", PRESETS.values(), ids=str)
def test_a_stored_preset_is_read_back_equal(known: Preset) -> None:
    assert Preset.from_json(json.loads(json.dumps(known.to_json()))) == known


def test_a_preset_of_an_earlier_release_is_read() -> None:
    stored = json.dumps(recipe("tandem-3").to_json()).replace("prior_model", "precedent")
    assert Preset.from_json(json.loads(stored)) == recipe("tandem-3")


def test_elas_u4_is_the_published_recipe() -> None:
    assert recipe("elas-u4").to_json() == {
        "name": "elas-u4",
        "words": {
            "ngram_range": [1, 2],
            "sublinear_tf": True,
            "min_df": 1,
            "max_df": 0.95,
            "title": 0.0,
            "vectors": None,
            "prior_model": None,
            "double": True,
        },
        "C": 0.11,
        "ratio": 9.8,
        "tolerance": 0.0001,
        "presumed": None,
        "word_vectors": None,
        "sentences": None,
        "prior_model": None,
    }


def test_for_an_unknown_model_the_error_lists_all() -> None:
    with pytest.raises(UnknownModel, match=r"'elas-u5'.*elas-u4"):
        recipe("elas-u5")


def test_a_preset_with_a_strange_key_is_not_guessed_at() -> None:
    with pytest.raises(ValidationError, match="gamma"):
        Preset.from_json({**recipe("elas-u4").to_json(), "gamma": 1})


def test_presets_can_be_listed_without_loading_the_classifier() -> None:
    code = (
        "import sys, tandem.ranking.recipes; sys.exit(bool({'sklearn', 'numpy'} & {*sys.modules}))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
