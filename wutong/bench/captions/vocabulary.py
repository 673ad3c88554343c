"""What vocabulary and corrector are worth, and what they cost, over words that an engine has heard before.

Nothing is heard here: recorded outputs of an engine go through the same punctuation, corrector and numbers as in a
room, so that a term, a weight or a rule can be judged in a second.

    python -m wutong.bench.captions.vocabulary HEARD.json --hearing DIR --case CASE.json

HEARD.json is a list of `{"text", "words": [[text, start_s, end_s, probability]…], "start"}`.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jiwer

from hardware.simulation.hearing_folder import HearingFolder
from sync.errors import WutongError
from transcriber.correction.numbers.forms import Form
from transcriber.correction.reviser import revised
from transcriber.correction.vocabulary.case import Vocabulary
from transcriber.correction.vocabulary.corrector import Change, Corrector, applied
from transcriber.correction.vocabulary.punctuation import punctuated
from transcriber.recognition.recognizer import Transcription, Word
from wutong.bench.captions.character_errors import alike, cer


@dataclass(frozen=True, slots=True)
class Judged:
    """A change of a line, and by how many characters it brings the whole nearer to what was said."""

    line: str
    change: Change
    gain: int


def transcriptions_of(recorded: Sequence[Mapping[str, Any]]) -> list[Transcription]:
    """Recorded outputs, with full punctuation as the transcriber sets it."""
    return [punctuated(Transcription(str(r["text"]), tuple(Word(*word) for word in r["words"]))) for r in recorded]


def corrector_of(case: Mapping[str, Any]) -> Corrector:
    """The corrector of a case."""
    vocabulary = Vocabulary.of_case(case)
    return Corrector(vocabulary.terms, branch=vocabulary.branch)


def judge(transcriptions: Sequence[Transcription], corrector: Corrector, reference: str) -> list[Judged]:
    """Every change by itself: what it alone does to the errors of all the words."""
    texts = [one.text for one in transcriptions]
    before = _errors(reference, "".join(texts))
    found = []
    for place, one in enumerate(transcriptions):
        for change in corrector.changes(one.text, [(w.text, w.probability) for w in one.words]):
            changed = [*texts[:place], applied(one.text, [change]), *texts[place + 1 :]]
            found.append(Judged(one.text, change, before - _errors(reference, "".join(changed))))
    return found


def measure(
    recorded: Sequence[Mapping[str, Any]], reference: str, case: Mapping[str, Any], numbers: Form = "arabic"
) -> dict[str, Any]:
    """The figures."""
    transcriptions, corrector = transcriptions_of(recorded), corrector_of(case)
    corrector.changes(transcriptions[0].text)  # what is loaded once is not counted below
    began = time.process_time()
    lines = [
        revised(corrector, one.text, [(w.text, w.probability) for w in one.words], numbers=numbers)
        for one in transcriptions
    ]
    took_s = time.process_time() - began
    judged = judge(transcriptions, corrector, reference)
    made = [j for j in judged if j.change.applies]
    asked = [j for j in judged if not j.change.applies]
    return {
        "cer": round(cer(reference, "".join(one.text for one in transcriptions)), 4),
        "cer_corrected": round(cer(reference, "".join(line.text for line in lines)), 4),
        "corrections": len(made),
        "corrections_right": sum(j.gain > 0 for j in made),
        "corrections_wrong": sum(j.gain < 0 for j in made),
        "proposals": len(asked),
        "proposals_right": sum(j.gain > 0 for j in asked),
        "cpu_ms_per_line": round(1000 * took_s / len(transcriptions), 1),
    }


def _errors(reference: str, text: str) -> int:
    found = jiwer.process_characters(alike(reference), alike(text))
    return int(found.substitutions + found.deletions + found.insertions)


def main() -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("heard", type=Path)
    parser.add_argument("--hearing", type=Path, required=True, help="the hearing folder with reference.json")
    parser.add_argument("--case", type=Path, help="what the docket knows (JSON); without it the court's terms alone")
    parser.add_argument("--changes", action="store_true", help="show each change and what it is worth")
    given = parser.parse_args()
    try:
        said = sorted(HearingFolder(given.hearing).reference.utterances, key=lambda s: s.start)
        recorded = sorted(json.loads(given.heard.read_text(encoding="utf-8")), key=lambda r: r["start"])
        case = json.loads(given.case.read_text(encoding="utf-8")) if given.case else {}
        reference = "".join(s.text for s in said)
        if given.changes:
            for one in judge(transcriptions_of(recorded), corrector_of(case), reference):
                made = "改" if one.change.applies else "问"
                print(
                    f"{one.gain:+d} {made} {one.change.old}→{one.change.new} {one.change.confidence} {one.change.why}"
                )
        print(json.dumps(measure(recorded, reference, case), ensure_ascii=False, indent=1))
    except (OSError, ValueError, KeyError) as error:
        print(f"wutong: what was heard cannot be read: {error}", file=sys.stderr)
        return 2
    except WutongError as error:
        print(f"wutong: {error.message}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
