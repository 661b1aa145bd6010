"""The first section of a page: the verdict, and what stands out, the worst first."""

from collections.abc import Sequence

from profiler.error_kinds import SIGNS
from profiler.figures import plural
from profiler.report.headline import Headline
from profiler.report.markup import esc, number

MOST_SHOWN = 9
MOST_FOLDED = 91  # nobody reads a hundred; the sections below hold all


def findings_section(
    found: Sequence[Headline],
    tally: str,
    *,
    judged: bool,
    whole: bool,
    which: str = "",
    nothing: str = "Nothing stands out in what was recorded.",
) -> str:
    """The first section: the verdict, and the headlines; `tally` (HTML) stands beside it.

    Where nothing was `judged`, because nothing was recorded, there is no verdict. Where it
    was not the `whole`, that nothing was found is no good news, and does not look so.
    `which` stands before what is counted, such as `new `; `nothing` where nothing is.
    """
    errors = sum(headline.severity == "error" for headline in found)
    warnings = sum(headline.severity == "warning" for headline in found)
    fine = "ok" if whole else "none"
    calm = fine if not errors else "none"
    counted = (
        _tally(errors, "error" if errors else fine, f"{which}error"),
        _tally(warnings, "warning" if warnings else calm, f"{which}warning"),
    )
    verdict = f'<p class="verdict">{"".join(counted)}{_beside(tally)}</p>'
    if not judged and not found:
        verdict = f'<p class="verdict"><span>No verdict</span> {_beside(tally)}</p>'
        body = (
            '<p class="empty">Nothing was recorded that could be judged; the last section says '
            "what became of each tool.</p>"
        )
    elif found:
        body = _list(found[:MOST_SHOWN])
        rest = found[MOST_SHOWN:]
        if rest:
            left = len(rest) - MOST_FOLDED
            cut = (
                f'<p class="muted">{number(left)} of the least weight are left out here: the '
                "sections below hold what they speak of.</p>"
                if left > 0
                else ""
            )
            body += (
                f'<details class="more"><summary>{number(len(rest))} more, of less weight'
                f"</summary>{_list(rest[:MOST_FOLDED])}{cut}</details>"
            )
    else:
        body = f'<p class="empty">{nothing}</p>'
        if whole:
            body = f'<p class="finding ok"><span class="sign ok">✔</span> {nothing}</p>'
    return (
        '<section id="overview" aria-labelledby="overview-title">'
        f'<h2 id="overview-title" class="offscreen">Findings</h2>{verdict}{body}</section>'
    )


def _list(found: Sequence[Headline]) -> str:
    return f'<ul class="findings">{"".join(_headline(headline) for headline in found)}</ul>'


def _beside(tally: str) -> str:
    return f'<span class="muted">{tally}</span>'


def _tally(count: int, severity: str, word: str) -> str:
    sign = f"{SIGNS[severity]} " if severity in SIGNS else ""
    return f'<span class="sign {severity}">{sign}{plural(count, word)}</span>'


def _headline(headline: Headline) -> str:
    rule = ""
    if headline.rule:
        rule = (
            f' <span class="rule" title="droidgrind explain {esc(headline.rule)}">'
            f"{esc(headline.rule)}</span>"
        )
    return (
        f'<li class="finding {headline.severity}">'
        f'<span class="sign {headline.severity}" role="img" aria-label="{headline.severity}">'
        f"{SIGNS[headline.severity]}</span>"
        f"<h3>{esc(headline.title, 300)}</h3>"
        f'<a class="show" href="#{esc(headline.link)}" '
        f'aria-label="Show: {esc(headline.title, 100)}">show ▸</a>'
        f"<p>{esc(headline.evidence, 500)} "
        f'<span class="muted">{esc(headline.advice)}</span>{rule}</p></li>'
    )
