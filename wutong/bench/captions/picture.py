"""`wutong bench captions --picture`: delays, errors by seat, plain re-decoding beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_FONTS = ["Noto Sans CJK SC", "Noto Sans CJK JP", "WenQuanYi Zen Hei", "SimHei", "DejaVu Sans"]
_OURS, _PLAIN, _LIMIT = "#2f6fde", "#b9a48c", "#c0392b"
_LIMIT_MS = 1500


@dataclass(slots=True)
class Drawn:
    """What the picture shows; an empty part is left out."""

    firsts_ms: list[float] = field(default_factory=list)
    utterances_ms: list[float] = field(default_factory=list)
    cer_by_seat: dict[int, float] = field(default_factory=dict)
    roles: Mapping[int, Sequence[str]] = field(default_factory=dict)
    plain_firsts_ms: list[float] = field(default_factory=list)
    plain_utterances_ms: list[float] = field(default_factory=list)


def draw(path: Path, drawn: Drawn, figures: Mapping[str, Any]) -> None:
    """Write the picture; its form is that of the file's name (.png, .svg, .pdf)."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    with mpl.rc_context({"font.family": "sans-serif", "font.sans-serif": _FONTS, "axes.unicode_minus": False}):
        figure, axes = plt.subplots(2, 2, figsize=(13, 8.5), layout="constrained")
        where = f"{figures.get('engine', '')} · {figures.get('machine', '')} · {figures.get('utc', '')}"
        figure.suptitle(f"庭审语音识别 Captions and transcript\n{where}", fontsize=13)
        _delays(axes[0][0], "首字延迟 First caption after speech begins", drawn.firsts_ms, drawn.plain_firsts_ms)
        _delays(axes[0][1], "语句延迟 Utterance after speech ends", drawn.utterances_ms, drawn.plain_utterances_ms)
        _seats(axes[1][0], drawn)
        _compared(axes[1][1], figures)
        figure.savefig(path, dpi=110)
        plt.close(figure)


def _delays(axes: Axes, title: str, ours: list[float], plain: list[float]) -> None:
    values = [ours, plain] if plain else [ours]
    if not ours:
        axes.set_visible(False)
        return
    most = max(_LIMIT_MS * 1.4, *(max(v) for v in values if v))
    least = min(0.0, *(min(v) for v in values if v))
    bins = [least + i * (most - least) / 40 for i in range(41)]
    axes.hist(ours, bins=bins, color=_OURS, alpha=0.85, label=f"五同 Wutong ({len(ours)})")
    if plain:
        axes.hist(plain, bins=bins, color=_PLAIN, alpha=0.7, label=f"滑窗重解码 LocalAgreement ({len(plain)})")
    axes.axvline(_LIMIT_MS, color=_LIMIT, linestyle="--", linewidth=1.2, label=f"{_LIMIT_MS} ms")
    axes.set_title(title)
    axes.set_xlabel("毫秒 ms")
    axes.set_ylabel("语句数 utterances")
    axes.legend(fontsize=9)


def _seats(axes: Axes, drawn: Drawn) -> None:
    seats = sorted(drawn.cer_by_seat)
    if not seats:
        axes.set_visible(False)
        return
    names = ["、".join(drawn.roles.get(seat, [str(seat)])) for seat in seats]
    bars = axes.bar(names, [drawn.cer_by_seat[seat] * 100 for seat in seats], color=_OURS, width=0.6)
    axes.bar_label(bars, fmt="%.1f", padding=2)
    axes.set_title("各席位字错误率 Character error rate by seat")
    axes.set_ylabel("%")
    axes.margins(y=0.15)


def _compared(axes: Axes, figures: Mapping[str, Any]) -> None:
    rows = [
        ("滑窗重解码\nLocalAgreement", "baseline_cer", _PLAIN),
        ("标准分段\noffline", "cer_offline", _PLAIN),
        ("五同实时\nlive", "cer", _OURS),
        ("五同+案件词汇\nwith the docket", "cer_corrected", _OURS),
    ]
    known = [(name, figures[key] * 100, color) for name, key, color in rows if figures.get(key) is not None]
    if not known:
        axes.set_visible(False)
        return
    bars = axes.bar([name for name, _, _ in known], [v for _, v, _ in known], color=[c for _, _, c in known], width=0.6)
    axes.bar_label(bars, fmt="%.1f", padding=2)
    axes.set_title("字错误率 Character error rate")
    axes.set_ylabel("%")
    axes.margins(y=0.15)
    cores = [
        f"{name} {figures[key]:.2f}"
        for name, key in (("五同", "cpu_cores_mean"), ("滑窗重解码", "baseline_cpu_cores_mean"))
        if figures.get(key) is not None
    ]
    axes.set_xlabel("平均占用核数 cores: " + "，".join(cores) if cores else "")
