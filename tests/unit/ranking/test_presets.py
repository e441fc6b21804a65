import json
import subprocess
import sys

import pytest

from tandem.ranking.presets import PRESETS, Preset, UnknownModel, preset


@pytest.mark.parametrize("known", PRESETS.values(), ids=str)
def test_a_stored_preset_is_read_back_equal(known: Preset) -> None:
    assert Preset.from_json(json.loads(json.dumps(known.to_json()))) == known


def test_elas_u4_is_the_published_recipe() -> None:
    assert preset("elas-u4").to_json() == {
        "name": "elas-u4",
        "ngram_range": [1, 2],
        "sublinear_tf": True,
        "min_df": 1,
        "max_df": 0.95,
        "C": 0.11,
        "ratio": 9.8,
    }


def test_an_unknown_model_is_told_which_there_are() -> None:
    with pytest.raises(UnknownModel, match=r"'elas-u5'.*elas-u4"):
        preset("elas-u5")


def test_a_preset_with_a_strange_key_is_not_guessed_at() -> None:
    with pytest.raises(TypeError, match="gamma"):
        Preset.from_json({**preset("elas-u4").to_json(), "gamma": 1})


def test_presets_can_be_listed_without_loading_the_classifier() -> None:
    code = "import sys, tandem.ranking.presets; sys.exit('sklearn' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
