"""What an imported file is read to say, sentence by sentence, and what becomes of each."""

from __future__ import annotations

from collections.abc import Sequence

from llmtui.core.session import Session
from llmtui.legacy.audit import Audit, Claim, ModelAudit, audit, legacy_rows
from llmtui.words import _
from llmtui.words.figures import percent, seconds, significant
from llmtui.words.lists import few
from llmtui.words.verdicts import factor


def audit_lines(session: Session) -> tuple[tuple[str, str], ...]:
    """Gives the audit of an imported session as (the sentence that is audited, what becomes of it)."""
    return audited(audit(legacy_rows(session)))


def audited(of: Audit) -> tuple[tuple[str, str], ...]:
    """Gives an audit as lines: the figures first, then claim by claim."""
    lines = [(_("Audit"), _figures(of.models))]
    lines += [(_("“{claim}”").format(claim=claim_sentence(one)), finding_sentence(one)) for one in of.claims]
    return tuple(lines)


def finding_word(finding: str) -> str:
    """Gives the finding in a word or two."""
    return {
        "stands": _("stands"),
        "order_only": _("the order stands, the figures do not"),
        "reversed": _("the order is the other way round, but not told apart"),
        "artefact": _("an artefact"),
        "wrong_winner": _("the wrong winner"),
        "in_part": _("stands in part"),
        "cannot_be_judged": _("cannot be judged"),
    }.get(finding, finding)


def claim_sentence(one: Claim) -> str:
    """Gives what the file is read to say."""
    name, figures = one.model or "", one.figures
    if one.finding == "cannot_be_judged":
        return _headings()[one.says]
    if one.says == "fastest":
        return _("{model} is the fastest: {tps} tok/s").format(model=name, tps=significant(figures["usual_tps"]))
    if one.says == "steadiest":
        return _("{model} is the steadiest: ± {cv}").format(model=name, cv=percent(figures["usual_cv"]))
    if one.says == "slowest_category":
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


def finding_sentence(one: Claim) -> str:
    """Gives what becomes of the claim, with the figures."""
    because = {
        "fastest": _fastest,
        "steadiest": _steadiest,
        "slowest_category": _slowest,
        "most_memory": _memory,
        "cold_start": _cold,
        "best_latency": _latency,
    }[one.says]
    why = _cannot(one) if one.finding == "cannot_be_judged" else because(one)
    said = finding_word(one.finding)
    return f"{said[:1].upper()}{said[1:]}. {why}"


def _headings() -> dict[str, str]:
    return {
        "fastest": _("The fastest"),
        "steadiest": _("The steadiest"),
        "slowest_category": _("The slowest category"),
        "most_memory": _("The most memory"),
        "cold_start": _("A cold start"),
        "best_latency": _("The best latency"),
    }


def _figures(models: Sequence[ModelAudit]) -> str:
    entries: list[str] = []
    for one in models:
        usual = one.recorded or one.usual
        if usual is not None and one.pooled_tps is not None:
            entries.append(
                _("{model} {usual} tok/s as recorded, {tps} while it wrote").format(
                    model=one.model, usual=significant(usual.mean), tps=significant(one.pooled_tps)
                )
            )
    said = _("One round, in an order that is not balanced; one category is taken for one observation.")
    return f"{said} {few(entries, most=6)}." if entries else said


def _fastest(one: Claim) -> str:
    names = {"model": one.model, "other": one.other, "ratio": factor(one.figures["ratio"])}
    span = ""
    if "low" in one.figures:
        span = f" ({factor(one.figures['low'])}–{factor(one.figures['high'])})"
    if one.finding in ("wrong_winner", "reversed"):
        return _("While they write, {other} is {ratio} times as fast as {model}{range}.").format(**names, range=span)
    return _("While they write, {model} is {ratio} times as fast as {other}{range}.").format(**names, range=span)


def _steadiest(one: Claim) -> str:
    if one.finding == "stands":
        return _("Its writing speed scatters least too: ± {cv}.").format(cv=percent(one.figures["decode_cv"]))
    names = {
        "model": one.model,
        "other": one.other,
        "cv": percent(one.figures["decode_cv"]),
        "least": percent(one.figures["other_cv"]),
    }
    if one.why == "equally_steady":
        return _("Writing speeds are equally steady; waiting makes the difference.")
    if one.why == "least_steady":
        return _("Its writing speed scatters most: ± {cv}, that of {other} ± {least}.").format(**names)
    return _("The writing speed of {other} scatters less: ± {least} against ± {cv}.").format(**names)


def _slowest(one: Claim) -> str:
    figures = {
        "tps": significant(one.figures["decode_tps"]),
        "rest": significant(one.figures["rest_tps"]),
        "wait": seconds(1000 * one.figures["ttft_s"]),
        "total": seconds(1000 * one.figures["total_s"]),
    }
    if one.finding == "stands":
        return _("There it writes {tps} tok/s, elsewhere {rest}.").format(**figures)
    if one.why == "cold_start":
        return _("{wait} of {total} were the cold start; it wrote {tps} tok/s, elsewhere {rest}.").format(**figures)
    return _("{wait} of {total} were waiting; it wrote {tps} tok/s, elsewhere {rest}.").format(**figures)


def _memory(one: Claim) -> str:
    level, other = f"{one.figures['level_mb']:.0f}", f"{one.figures['other_level_mb']:.0f}"
    said = _("The figure is what the whole machine gained since the row before, not what a model holds.")
    if one.finding == "order_only":
        return said + " " + _("Added up, {model} is highest too: {level} MB.").format(model=one.model, level=level)
    if one.why == "first_row":
        said += " " + _("It was measured first, from an empty machine.")
    return (
        said
        + " "
        + _("Added up, {other} is highest: {most} MB, {model} {level} MB.").format(
            other=one.other, most=other, model=one.model, level=level
        )
    )


def _cold(one: Claim) -> str:
    if one.finding == "stands":
        return _("Every model's first row waited more than five times as long as its others.")
    return _("Seen in {n} of the models only.").format(n=f"{one.figures['models']:.0f}")


def _latency(one: Claim) -> str:
    warm, other = seconds(1000 * one.figures["warm_s"]), seconds(1000 * one.figures["other_warm_s"])
    if one.finding == "wrong_winner":
        return _("The mean holds cold starts. Once loaded: {other} {best}, {model} {time}.").format(
            other=one.other, best=other, model=one.model, time=warm
        )
    if one.finding == "stands":
        return _("Once loaded it starts soonest too: {time}.").format(time=warm)
    return _("Once loaded it is first too, {time}, but not told apart from all others.").format(time=warm)


def _cannot(one: Claim) -> str:
    return {
        "one_model": _("There are not two models to compare."),
        "no_common_rows": _("No category has usable rows of both."),
        "needs_two_rows": _("It takes two rows or more of each of two models."),
        "one_category": _("There is one category only."),
        "nothing_to_compare": _("Its row, or the rest of the model's rows, has no usable times."),
        "no_memory": _("The file has no memory figures."),
        "no_cold_rows": _("No row looks like a start from off."),
    }.get(one.why or "", "")
