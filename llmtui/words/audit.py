"""The audit of an imported file, as sentences.

An audit says which comparisons the file supports and checks claims, such as "qwen3:4b is the fastest", that its figures
suggest.
"""

from __future__ import annotations

from collections.abc import Sequence

from llmtui.core.recorded_pairs import RecordedSpeed
from llmtui.core.session import Session
from llmtui.core.verdict import SEPARATING, SpeedVerdict
from llmtui.legacy.audit import Audit, audit
from llmtui.legacy.claims import Claim
from llmtui.legacy.model_audit import Layout, ModelAudit
from llmtui.words import _, plural
from llmtui.words.figures import percent, seconds, significant
from llmtui.words.lists import few
from llmtui.words.ratios import factor

MOST_PAIRS = 6


def audit_lines(session: Session) -> tuple[tuple[str, str], ...]:
    """Return the audit of an imported session (what it can show, which claims hold) as pairs of heading and text."""
    return audited(audit(session))


def claim_rows(session: Session) -> tuple[tuple[str, str, str], ...]:
    """Return one row per claim that an imported file suggests, such as which model is the fastest.

    A row has the claim, the finding in one to three words, and the reason.
    """
    of = audit(session)
    return tuple(
        (claim_sentence(one, of.layout), finding_word(one.finding), why_sentence(one, of)) for one in of.claims
    )


def file_lines(session: Session) -> tuple[tuple[str, str], ...]:
    """Return two pairs of a heading and a text: what an imported file can show, and its speeds."""
    return _file_lines(audit(session))


def _file_lines(of: Audit) -> tuple[tuple[str, str], ...]:
    return (_("What this file can show"), _layout(of.layout)), (_speed_heading(of.layout), _speeds(of))


def audited(of: Audit) -> tuple[tuple[str, str], ...]:
    """Return an audit as pairs of a heading and a text: what the file can show, its speeds, then one pair per claim."""
    lines = [*_file_lines(of)]
    lines += [
        (_("“{claim}”").format(claim=claim_sentence(one, of.layout)), finding_sentence(one, of)) for one in of.claims
    ]
    return tuple(lines)


def finding_word(finding: str) -> str:
    """Return a finding in one to three words, such as ``not shown``; an unknown code is returned unchanged."""
    return {
        "stands": _("confirmed"),
        "not_shown": _("not shown"),
        "wrong": _("wrong"),
        "artefact": _("an artefact"),
        "in_part": _("true in part"),
        "cannot_be_judged": _("cannot be judged"),
    }.get(finding, finding)


def claim_sentence(one: Claim, layout: Layout) -> str:
    """Return a claim as a sentence with its figures: ``qwen3:4b is the fastest: 19.1 tok/s, as recorded``."""
    name, figures = one.model or "", one.figures
    if one.says == "fastest":
        pattern = _("{model} is the fastest: {tps} tok/s, as recorded")
        if not layout.overall_recorded:
            pattern = _("{model} is the fastest: {tps} tok/s (tokens ÷ total time)")
        return pattern.format(model=name, tps=significant(figures["usual_tps"]))
    if one.says == "steadiest":
        return _("{model} is the steadiest: ± {cv}").format(model=name, cv=percent(figures["usual_cv"]))
    if one.says == "slow_category":
        return _("{model} is slow in {category}: {tps} tok/s").format(
            model=name, category=one.category, tps=significant(figures["usual_tps"])
        )
    if one.says == "most_memory":
        return _("{model} needs the most memory: {mb} MB").format(model=name, mb=f"{figures['change_mb']:.0f}")
    if one.says == "cold_start":
        low, high = seconds(1000 * figures["low_s"]), seconds(1000 * figures["high_s"])
        span = low if low == high else _("{low} to {high}").format(low=low, high=high)
        return _("A cold start takes {time}").format(time=span)
    return _("{model} has the best latency: {time}").format(model=name, time=seconds(1000 * figures["mean_s"]))


def finding_sentence(one: Claim, of: Audit) -> str:
    """Return the finding on a claim, followed by the figures that decided it."""
    said = finding_word(one.finding)
    return f"{said[:1].upper()}{said[1:]}. {why_sentence(one, of)}"


def why_sentence(one: Claim, of: Audit) -> str:
    """Return the figures that decided the finding on a claim, as sentences."""
    if one.finding == "cannot_be_judged":
        return _cannot(one)
    if one.says == "fastest":
        return _fastest(one, of.layout)
    if one.says == "steadiest":
        return _steadiest(one, of.layout)
    if one.says == "slow_category":
        return _slow(one)
    if one.says == "most_memory":
        return _memory(one)
    return _cold(one, of.models) if one.says == "cold_start" else _latency(one, of)


# --- the file -----------------------------------------------------------------------------------------------------


def _layout(of: Layout) -> str:
    said = [plural("{n} row.", "{n} rows.", of.rows).format(n=of.rows), _program(of.program)]
    if of.repetitions > 1:
        said.append(
            _(
                "Up to {n} back-to-back repetitions. They show variation, but they are not rounds in which models "
                "take turns."
            ).format(n=of.repetitions)
        )
    elif of.program != "table":
        pass
    elif of.unit == "run":
        said.append(_("{n} runs of the same prompts: one run is one observation.").format(n=of.runs))
    else:
        counted = plural("{n} category", "{n} categories", of.categories).format(n=of.categories)
        said.append(_("One run, {categories}: one category is one observation.").format(categories=counted))
    if of.means:
        said.append(_("The file has only means, no individual trials."))
    if of.order == "one_after_another":
        said.append(
            _("The models ran one after the other, so a change on the machine looks like a difference between models.")
        )
    elif of.order == "taking_turns":
        said.append(_("The models took turns."))
    if of.basis == "usual":
        said.append(
            _("Without a time to first token, only tokens ÷ total time can be judged, waiting and loading included.")
        )
    if of.short and of.basis == "writing":
        said.append(
            plural(
                "{n} row with fewer than 64 tokens is included.", "{n} rows with fewer than 64 tokens are included.",
                of.short,
            ).format(n=of.short)
        )  # fmt: skip
    if of.failed:
        said.append(plural("{n} row cannot be used.", "{n} rows cannot be used.", of.failed).format(n=of.failed))
    return " ".join(part for part in said if part)


def _program(code: str) -> str:
    """Return what is known about every file that a program writes; empty for a program without such facts."""
    load_test = _("{program} is a load test: it does not separate warm from cold requests or show what was cached.")
    return {
        "llama_bench": _(
            "llama-bench measures prompt processing and generation after a warm-up, without server, sampling or cold "
            "start."
        ),
        "ollama_bench": _(
            "Ollama's bench warms up first: there is no cold start. Its rate counts the first token too: "
            "up to 2 % too high at 64 tokens."
        ),
        "vllm_bench": load_test.format(program="vLLM bench serve"),
        "sglang_bench": load_test.format(program="SGLang bench_serving"),
        "aiperf": load_test.format(program="AIPerf"),
        "guidellm": load_test.format(program="GuideLLM"),
        "llama_benchy": _("llama-benchy counts every chunk as a token if the server sends no count."),
        "localscore": _("LocalScore runs each pair of prompt and answer length once, without a server."),
        "homebench": _("homebench keeps the best of its runs: its figures are higher than typical ones."),
        "ollama_profiler": _(
            "ollama-profiler repeats one prompt after a warm-up: there is no cold start, and the server has the prompt "
            "in its cache."
        ),
        "go_benchmark": _("Benchmark lines have figures only: prompts and their order are not in them."),
    }.get(code, "")


def _speed_heading(of: Layout) -> str:
    return _("Decode speed") if of.basis == "writing" else _("Tokens ÷ total time")


def _speeds(of: Audit) -> str:
    most = max((one.speed.n for one in of.models if one.speed is not None), default=0)
    entries = [_speed(one.model, one.speed, of.layout.unit, most) for one in of.models if one.speed is not None]
    if not entries:
        return _("No row can be used.")
    over = _("geometric mean over runs") if of.layout.unit == "run" else _("geometric mean over categories")
    said = [f"{few(entries, most=8)} {_('tok/s')}" + (f" ({over})." if most > 1 else ".")]
    pairs = [one for one in of.verdicts if one.ratio is not None]
    said += [_pair(one, of.models) for one in pairs[:MOST_PAIRS]]
    if len(pairs) > MOST_PAIRS:
        left = len(pairs) - MOST_PAIRS
        said.append(plural("{n} more pair.", "{n} more pairs.", left).format(n=left))
    if len(entries) > 1:
        said.append(
            _("Token rates of different tokenizers are not comparable: with longer tokens, the same rate is more text.")
        )
    return " ".join(said)


def _speed(model: str, speed: RecordedSpeed, unit: str, most: int) -> str:
    """Return a model and its speed, with the number of observations if another model has more."""
    said = f"{model} {significant(speed.value)}"
    return said if speed.n == most else f"{said} ({_base(unit, speed.n)})"


def _pair(one: SpeedVerdict, models: Sequence[ModelAudit]) -> str:
    names = {
        "first": models[one.first].model,
        "second": models[one.second].model,
        "ratio": factor(one.ratio or 1.0),
        "base": _base(one.unit, one.rounds),
    }
    if one.low is None or one.high is None:
        return _("{first} and {second}: × {ratio}, too few observations for an interval ({base}).").format(**names)
    names["range"] = f"{factor(one.low)}–{factor(one.high)}"
    if one.word in SEPARATING:
        return _("{first} is {ratio} times as fast as {second} ({range}, {base}).").format(**names)
    if one.word == "practically_equal":
        return _("{first} and {second} are practically equally fast: {ratio} ({range}, {base}).").format(**names)
    return _("{first} and {second} are too close to tell: × {ratio} ({range}, {base}).").format(**names)


def _base(unit: str, n: float) -> str:
    count = round(n)
    if unit == "category":
        return plural("{n} category", "{n} categories", count).format(n=count)
    return plural("{n} run", "{n} runs", count).format(n=count)


# --- claim by claim -----------------------------------------------------------------------------------------------


def _fastest(one: Claim, layout: Layout) -> str:
    figures = one.figures
    first, second = (one.model, one.other) if figures["leads"] else (one.other, one.model)
    names = {
        "first": first,
        "second": second,
        "ratio": factor(figures["ratio"]),
        "base": _base(layout.unit, figures["units"]),
    }
    if "low" not in figures:
        return _("{first} is {ratio} times as fast as {second} in {base}: too few for an interval.").format(**names)
    names["range"] = f"{factor(figures['low'])}–{factor(figures['high'])}"
    if layout.basis == "usual":
        said = _("By tokens ÷ total time, {first} is {ratio} times as fast as {second} ({range}, {base})")
    else:
        said = _("By decode speed, {first} is {ratio} times as fast as {second} ({range}, {base})")
    because = {
        "interval_holds_1": _("the interval includes 1"),
        "practically_equal": _("that is practically equal"),
        "may_be_chance": _("that may be chance"),
    }.get(one.why or "")
    return said.format(**names) + (f": {because}." if because else ".")


def _steadiest(one: Claim, layout: Layout) -> str:
    if one.why == "too_few_to_rank":
        return _("Its decode speed varies by ± {cv}; ten runs are needed to rank models by that.").format(
            cv=percent(one.figures["writing_cv"])
        )
    said = _("Tokens ÷ total time varies with waiting.") + " "
    pattern = (
        _("The decode speed of {model} varies most, by ± {cv}; that of {other} by ± {least}.")
        if one.why == "least_steady"
        else _("The decode speed of {model} varies by ± {cv}, that of {other} by ± {least}.")
    )
    return said + pattern.format(
        model=one.model,
        other=one.other,
        cv=percent(one.figures["writing_cv"]),
        least=percent(one.figures["other_cv"]),
    )


def _slow(one: Claim) -> str:
    figures = {
        "tps": significant(one.figures["writing_tps"]),
        "rest": significant(one.figures["rest_tps"]),
        "wait": seconds(1000 * one.figures["ttft_s"]),
        "total": seconds(1000 * one.figures["total_s"]),
    }
    if one.finding == "not_shown":
        return _("It writes {tps} tok/s there and {rest} elsewhere; a single category cannot show more.").format(
            **figures
        )
    if one.why == "cold_start":
        return _("{wait} of {total} was the cold start; decode speed there was {tps} tok/s, elsewhere {rest}.").format(
            **figures
        )
    return _("{wait} of {total} was waiting; decode speed there was {tps} tok/s, elsewhere {rest}.").format(**figures)


def _memory(one: Claim) -> str:
    if one.why == "not_known_what":
        return _("The file does not say whether that is the model's memory or the whole machine's.")
    names = {
        "model": one.model,
        "other": one.other,
        "mine": f"{one.figures['highest_mb']:.0f}",
        "most": f"{one.figures['other_highest_mb']:.0f}",
    }
    said = _("The figure is the growth of the whole machine's memory since the previous row, not a model's memory.")
    if one.why == "first_row":
        said += " " + _("It was measured first, when no model was in memory.")
    if one.finding == "not_shown":
        return said + " " + _("The memory total is highest for {model} too: {mine} MB.").format(**names)
    return said + " " + _("The memory total is highest for {other}: {most} MB; {model}: {mine} MB.").format(**names)


def _cold(one: Claim, models: Sequence[ModelAudit]) -> str:
    entries = [
        _("{model} {time}, {times} times the slowest of its other rows").format(
            model=model.model,
            time=seconds(1000 * model.cold_ttft_s),
            times=significant(model.cold_times_slowest, 2),
        )
        for model in models
        if model.cold_ttft_s is not None and model.cold_times_slowest is not None
    ]
    shown = _("The first row of each model waited longest: {entries}.").format(entries="; ".join(entries[:6]))
    if one.finding == "stands":
        return shown
    return _("True for {n} of {all} models.").format(n=round(one.figures["models"]), all=len(models)) + " " + shown


def _latency(one: Claim, of: Audit) -> str:
    entries = [
        _("{model} {time} (n = {n})").format(
            model=model.model, time=seconds(1000 * model.warm_ttft_s.median), n=model.warm_ttft_s.n
        )
        for model in of.models
        if model.warm_ttft_s is not None
    ]
    said = [_("The mean includes cold starts.")] if one.figures["with_cold"] else []
    said.append(_("Median TTFT once loaded: {entries}.").format(entries=few(entries, most=6)))
    because = {
        "single_trials": plural(
            "{n} pair of single trials cannot show a winner.", "{n} pairs of single trials cannot show a winner.",
            round(one.figures["units"]),
        ).format(n=round(one.figures["units"])),
        "no_common_rows": _("No category has usable rows from both models."),
        "repetitions": _("Back-to-back repetitions cannot show a winner."),
        "not_apart": _("The difference is too close to tell."),
        "another_is": _("{other} responds sooner.").format(other=one.other),
    }.get(one.why or "")  # fmt: skip
    return " ".join([*said, *([because] if because else [])])


def _cannot(one: Claim) -> str:
    return {
        "no_common_rows": _("No category has usable rows from both models."),
        "no_writing_speed": _("The file does not separate waiting from writing."),
    }.get(one.why or "", "")
