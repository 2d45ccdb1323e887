//! A regular expression on host names as patterns of ours: label by label, the whole name, `*` for any part of one label.

use approver::{NamePattern, San};
use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Class, Hir, HirKind, Look, Repetition};

/// What an expression became.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Names {
    /// It takes every name.
    Any,

    /// It takes no name that a host has.
    Nothing,

    /// It says something that patterns cannot.
    Inexpressible,

    /// It is one of these.
    Patterns(Patterns),
}

/// The patterns for an expression.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Patterns {
    pub(super) texts: Vec<String>,

    /// Whether names are left out that the expression takes.
    pub(super) is_narrower: bool,

    /// Whether names are in that the expression does not take.
    pub(super) is_wider: bool,
}

/// An expression that no regular expression is, or not one for both Go and us.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct NotAnExpression;

/// Patterns of the names that an expression of Go's `regexp` finds something in.
pub(super) fn translate(expression: &str) -> Result<Names, NotAnExpression> {
    if is_read_otherwise(expression) {
        return Ok(Names::Inexpressible);
    }
    let mut parser = ParserBuilder::new().unicode(false).utf8(false).nest_limit(50).build();
    let parsed = parser.parse(expression).map_err(|_| NotAnExpression)?;
    // Where each character of a class would make too many, `*` stands for all of them.
    let found = [FEW, 1].into_iter().find_map(|few| Walk { few, ..Walk::default() }.patterns(&parsed).ok());
    Ok(found.unwrap_or(Names::Inexpressible))
}

impl Patterns {
    /// The domains in which these names are nodes' own labels: what follows the first label, where all the rest is fixed.
    pub(super) fn domains(&self) -> Vec<String> {
        let mut domains = Vec::new();
        let behind = self.texts.iter().filter_map(|text| text.split_once('.'));
        for (_, domain) in behind {
            if San::dns(domain).is_some() && !domains.iter().any(|known| known == domain) {
                domains.push(domain.to_owned());
            }
        }
        domains
    }

    /// Adds the patterns of one alternative, in which nothing is left but labels and what stands for parts of them.
    fn add(&mut self, text: &str) {
        // At least one character is what `*` means where nothing, or only what follows a dot, is no name.
        let ones = text.char_indices().filter(|(_, c)| [LABEL_ONE, CROSSING_ONE].contains(c));
        let without = ones.flat_map(|(at, one)| {
            let fewer = if one == CROSSING_ONE { &["", ".y", "y."][..] } else { &[""] };
            fewer.iter().map(move |fewer| [&text[..at], fewer, &text[at + 1..]].concat())
        });
        self.is_wider |= without.into_iter().any(|text| is_pattern(&labels(&text, "*")));
        let crosses = text.contains([CROSSING, CROSSING_ONE]);
        self.is_narrower |= crosses;
        for depth in 1..=if crosses { DEPTH } else { 1 } {
            let pattern = labels(text, &vec!["*"; depth].join("."));
            if is_pattern(&pattern) && !self.texts.contains(&pattern) {
                self.texts.push(pattern);
            }
        }
    }
}

/// What stands for something else in an alternative. No host's name holds such a character.
const LABEL: char = '*';
const LABEL_ONE: char = '+';
const CROSSING: char = '~';
const CROSSING_ONE: char = '!';
const START: char = '^';
const END: char = '$';

/// Alternatives, and patterns, that one expression may become.
const MOST: usize = 64;

/// Labels that what crosses dots may stand for.
const DEPTH: usize = 4;

/// Characters of a class that each become an alternative, where that does not make too many.
const FEW: usize = 12;

/// An expression that cannot be said in patterns.
struct Inexpressible;

/// A walk through an expression.
#[derive(Default)]
struct Walk {
    /// Characters of a class that each become an alternative.
    few: usize,
    is_narrower: bool,
    is_wider: bool,
}

/// Whether our parser may see set operations where Go's sees plain characters, between brackets.
fn is_read_otherwise(expression: &str) -> bool {
    let mut rest = expression.replace("[:", "").replace(":]", "");
    rest.retain(|c| c != '^');
    let is_nested = rest.split(']').any(|part| part.replace("\\[", "").matches('[').count() > 1);
    is_nested || ["&&", "--", "~~"].iter().any(|operation| expression.contains(operation))
}

impl Walk {
    /// The patterns for a whole expression.
    fn patterns(mut self, expression: &Hir) -> Result<Names, Inexpressible> {
        let texts = self.alternatives(expression)?;
        let texts: Option<Vec<_>> = texts.iter().map(|text| whole(text)).collect();
        let texts = texts.ok_or(Inexpressible)?;
        // Two of which each is one character at least are more than one together.
        let is_one = |c: char| [LABEL_ONE, CROSSING_ONE].contains(&c);
        let has_two = |run: &str| run.chars().filter(|c| is_one(*c)).count() > 1;
        self.is_wider |= texts.iter().any(|text| text.split(|c| !is_wild(c)).any(has_two));
        let texts: Vec<_> = texts.iter().map(|text| merged(text)).collect();
        let is_any = |text: &String| [CROSSING, CROSSING_ONE].iter().any(|all| *text == all.to_string());
        // Some characters and then any are not any from the start.
        if !self.is_wider && texts.iter().any(is_any) {
            return Ok(Names::Any);
        }
        let (is_narrower, is_wider) = (self.is_narrower, self.is_wider);
        let mut found = Patterns { texts: Vec::new(), is_narrower, is_wider };
        texts.iter().for_each(|text| found.add(text));
        match found.texts.len() {
            0 if !is_narrower => Ok(Names::Nothing),
            1..=MOST => Ok(Names::Patterns(found)),
            _ => Err(Inexpressible),
        }
    }

    /// The alternatives of a part.
    fn alternatives(&mut self, hir: &Hir) -> Result<Vec<String>, Inexpressible> {
        let texts = match hir.kind() {
            HirKind::Empty => vec![String::new()],
            HirKind::Literal(literal) => {
                let literal: Option<String> = literal.0.iter().map(|octet| of_a_name(*octet)).collect();
                literal.into_iter().collect()
            }
            HirKind::Class(class) => self.one_of(&characters(class)),
            HirKind::Look(Look::Start | Look::StartLF) => vec![START.to_string()],
            HirKind::Look(Look::End | Look::EndLF) => vec![END.to_string()],
            HirKind::Look(_) => return Err(Inexpressible),
            HirKind::Repetition(repetition) => self.repeated(repetition)?,
            HirKind::Capture(capture) => self.alternatives(&capture.sub)?,
            HirKind::Concat(parts) => {
                let mut texts = vec![String::new()];
                for part in parts {
                    texts = product(&texts, &self.alternatives(part)?)?;
                }
                texts
            }
            HirKind::Alternation(parts) => {
                let mut texts = Vec::new();
                for part in parts {
                    texts.extend(self.alternatives(part)?);
                }
                texts
            }
        };
        if texts.len() > MOST { Err(Inexpressible) } else { Ok(texts) }
    }

    /// One character of a class.
    fn one_of(&mut self, characters: &[char]) -> Vec<String> {
        if characters.len() <= self.few {
            return characters.iter().map(char::to_string).collect();
        }
        if characters.contains(&'.') {
            // A dot that somebody forgot to escape.
            self.is_narrower = true;
            return vec![".".to_owned()];
        }
        self.is_wider = true;
        vec![LABEL_ONE.to_string()]
    }

    fn repeated(&mut self, repetition: &Repetition) -> Result<Vec<String>, Inexpressible> {
        let (min, max) = (repetition.min, repetition.max);
        if (min, max) == (0, Some(1)) {
            let mut texts = self.alternatives(&repetition.sub)?;
            texts.push(String::new());
            return Ok(texts);
        }
        let characters = match repetition.sub.kind() {
            HirKind::Class(class) => characters(class),
            HirKind::Literal(literal) if literal.0.len() == 1 => {
                literal.0.iter().copied().filter_map(of_a_name).collect()
            }
            _ => return Err(Inexpressible),
        };
        if characters.is_empty() {
            return Ok(if min == 0 { vec![String::new()] } else { Vec::new() });
        }
        let is_any = LABEL_CHARACTERS.chars().all(|c| characters.contains(&c));
        self.is_wider |= !is_any || min > 1 || max.is_some();
        let stands_for = match (characters.contains(&'.'), min) {
            (false, 0) => LABEL,
            (false, _) => LABEL_ONE,
            (true, 0) => CROSSING,
            (true, _) => CROSSING_ONE,
        };
        Ok(vec![stands_for.to_string()])
    }
}

fn product(heads: &[String], tails: &[String]) -> Result<Vec<String>, Inexpressible> {
    if heads.len() * tails.len() > MOST {
        return Err(Inexpressible);
    }
    Ok(heads.iter().flat_map(|head| tails.iter().map(move |tail| format!("{head}{tail}"))).collect())
}

/// What hosts' names have of a class, in lower case.
fn characters(class: &Class) -> Vec<char> {
    let holds = |c: char| match class {
        Class::Unicode(class) => {
            class.ranges().iter().any(|range| (range.start()..=range.end()).contains(&c))
        }
        Class::Bytes(class) => {
            let octet = u8::try_from(c).unwrap_or_default();
            class.ranges().iter().any(|range| (range.start()..=range.end()).contains(&octet))
        }
    };
    let all = LABEL_CHARACTERS.chars().chain(['.']);
    all.filter(|c| holds(*c) || holds(c.to_ascii_uppercase())).collect()
}

/// The character, in lower case, where names have it.
fn of_a_name(octet: u8) -> Option<char> {
    let c = char::from(octet).to_ascii_lowercase();
    (c == '.' || LABEL_CHARACTERS.contains(c)).then_some(c)
}

/// The alternative as a whole name; `None` where it begins or ends in its midst.
fn whole(text: &str) -> Option<String> {
    let inner = text.trim_start_matches(START);
    let head = if inner.len() == text.len() { CROSSING.to_string() } else { String::new() };
    let trimmed = inner.trim_end_matches(END);
    let tail = if trimmed.len() == inner.len() { CROSSING.to_string() } else { String::new() };
    (!trimmed.contains([START, END])).then(|| format!("{head}{trimmed}{tail}"))
}

/// The alternative with what stands side by side for some text made one.
fn merged(text: &str) -> String {
    let mut merged = String::new();
    for c in text.chars() {
        match merged.chars().last() {
            Some(last) if is_wild(last) && is_wild(c) => {
                merged.pop();
                merged.push(joined(last, c));
            }
            _ => merged.push(c),
        }
    }
    merged
}

fn is_wild(c: char) -> bool {
    [LABEL, LABEL_ONE, CROSSING, CROSSING_ONE].contains(&c)
}

/// What two that stand side by side are together.
fn joined(one: char, other: char) -> char {
    let either = |c| one == c || other == c;
    match (either(CROSSING) || either(CROSSING_ONE), either(LABEL_ONE) || either(CROSSING_ONE)) {
        (true, true) => CROSSING_ONE,
        (true, false) => CROSSING,
        (false, true) => LABEL_ONE,
        (false, false) => LABEL,
    }
}

/// The alternative as a pattern, with `crossing` for what crosses dots.
fn labels(text: &str, crossing: &str) -> String {
    let part = |c: char| match c {
        CROSSING | CROSSING_ONE => crossing.to_owned(),
        LABEL | LABEL_ONE => "*".to_owned(),
        c => c.to_string(),
    };
    text.chars().map(part).collect()
}

/// Whether some host's name can be of this form.
fn is_pattern(text: &str) -> bool {
    // No letter that makes a number (0x…) or an encoded label (xn--…) of what stands beside it.
    text.parse::<NamePattern>().is_ok() && San::dns(&text.replace('*', "y")).is_some()
}

const LABEL_CHARACTERS: &str = "abcdefghijklmnopqrstuvwxyz0123456789-";

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;

    fn patterns(texts: &[&str], is_narrower: bool, is_wider: bool) -> Names {
        let texts = texts.iter().map(ToString::to_string).collect();
        Names::Patterns(Patterns { texts, is_narrower, is_wider })
    }

    #[test]
    fn what_patterns_can_say_is_said_exactly() {
        for (expression, texts) in [
            (r"^[\w-]*\.test\.ch$", &["*.test.ch"][..]),
            (r"^[abc]\.test\.ch$", &["a.test.ch", "b.test.ch", "c.test.ch"]),
            (r"^node-[^.]*$", &["node-*"]),
            (r"^[a-zA-Z0-9-]+\.X\.ch$", &["*.x.ch"]),
            (r"(?i)^w(est|ost)-1\.x\.ch$", &["west-1.x.ch", "wost-1.x.ch"]),
            (r"^w1(\.x\.ch)?$", &["w1.x.ch", "w1"]),
            (r"\Aw1\z", &["w1"]),
            (r"^(?:a|b_c|d)$", &["a", "d"]),
            (r"^a_*b$", &["ab"]),
        ] {
            assert_eq!(translate(expression), Ok(patterns(texts, false, false)), "{expression}");
        }
    }

    #[test]
    fn what_crosses_dots_becomes_some_labels() {
        let crossing = ["*.x.ch", "*.*.x.ch", "*.*.*.x.ch", "*.*.*.*.x.ch"];
        for expression in [r"^.*\.x\.ch$", r"\.x\.ch$", r"^.+\.x\.ch$", r"^[\w.-]*\.x\.ch$"] {
            assert!(
                matches!(translate(expression), Ok(Names::Patterns(found))
                if found.texts == crossing && found.is_narrower),
                "{expression}"
            );
        }
        assert_eq!(translate("^n1.x$"), Ok(patterns(&["n1.x"], true, false)), "a dot that is not escaped");
        let Ok(Names::Patterns(found)) = translate("^node-") else { panic!() };
        assert_eq!(found.texts, ["node-*", "node-*.*", "node-*.*.*", "node-*.*.*.*"]);
        assert!(found.is_narrower && !found.is_wider);
    }

    #[test]
    fn where_a_pattern_takes_more_that_is_known() {
        for (expression, texts) in [
            (r"^node-\w*\.int\.company\.ch$", &["node-*.int.company.ch"][..]),
            (r"^node-?[0-9]{1,3}$", &["node-*", "node*"]),
            (r"^w[a-z]1$", &["w*1"]),
            (r"^w[a-z0-9-]+$", &["w*"]),
            (r"^wa+$", &["w*"]),
            (r"^n[0-9][0-9]x$", &["n*x"]),
        ] {
            assert_eq!(translate(expression), Ok(patterns(texts, false, true)), "{expression}");
        }
    }

    /// Parts of expressions, of labels and of names that have some chance to meet.
    const ATOMS: [&str; 17] = [
        "a",
        "b-",
        "1",
        r"\.",
        ".",
        "[ab]",
        "[a-z]",
        "[a-z0-9-]",
        "[^.]",
        r"\w",
        r"\d",
        "(a|b1)",
        r"(\.x)",
        "(|a)",
        r"\.x",
        "_",
        "-",
    ];
    const TIMES: [&str; 8] = ["", "", "", "*", "+", "?", "{2}", "{1,3}"];
    const LABELS: [&str; 9] = ["a", "b", "ab", "1", "x", "b-1", "a-b", "aa1", "0y"];

    fn expressions() -> impl Strategy<Value = String> {
        let part =
            (select(&ATOMS[..]), select(&TIMES[..])).prop_map(|(atom, times)| format!("(?:{atom}){times}"));
        let anchors = (select(&["^", "^", ""][..]), select(&["$", "$", ""][..]));
        (vec(part, 1..5), anchors).prop_map(|(parts, (head, tail))| format!("{head}{}{tail}", parts.concat()))
    }

    fn names() -> impl Strategy<Value = String> {
        let label = vec(select(&LABELS[..]), 1..3).prop_map(|parts| parts.concat());
        vec(label, 1..5).prop_map(|labels| labels.join("."))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(5000))]

        /// The judge is the regex crate, whose language is Go's for all that is generated here.
        #[test]
        fn what_is_not_said_to_differ_is_the_same(expression in expressions(), names in vec(names(), 1..20)) {
            let judge = regex::bytes::RegexBuilder::new(&expression).unicode(false).build().unwrap();
            for name in names.iter().filter(|name| San::dns(name).is_some()) {
                let takes = judge.is_match(name.as_bytes());
                let (ours, is_narrower, is_wider) = match translate(&expression).unwrap() {
                    Names::Any => (true, false, false),
                    Names::Nothing => (false, false, false),
                    Names::Inexpressible => continue,
                    Names::Patterns(found) => {
                        let is_of = |text: &String| text.parse::<NamePattern>().unwrap().matches(name, "node");
                        (found.texts.iter().any(is_of), found.is_narrower, found.is_wider)
                    }
                };
                prop_assert!(!ours || takes || is_wider, "{expression} does not take {name}");
                prop_assert!(ours || !takes || is_narrower, "{expression} takes {name}");
            }
        }
    }

    #[test]
    fn what_takes_everything_is_no_constraint() {
        for expression in ["", ".*", "^.*$", "^.+$", "^", "(a|.*)", ".*.*"] {
            assert_eq!(translate(expression), Ok(Names::Any), "{expression}");
        }
    }

    #[test]
    fn the_rest_is_known_for_what_it_is() {
        for expression in ["^_$", "^ä$", r"^\s$", r"^-a$", "^a\n$", r"^10\.0\.0\.1$"] {
            assert_eq!(translate(expression), Ok(Names::Nothing), "{expression}");
        }
        for expression in [r"^(a\.)+b$", r"^(ab){2}$", r"\bnode\b", r"^a$b", r"^[a&&b]$", r"^[a[b]]$"] {
            assert_eq!(translate(expression), Ok(Names::Inexpressible), "{expression}");
        }
        for expression in ["(", "[a", "*", r"(?=a)", r"\1"] {
            assert_eq!(translate(expression), Err(NotAnExpression), "{expression}");
        }
    }

    #[test]
    fn domains_are_what_follows_the_nodes_own_label() {
        for (expression, domains) in [
            (r"^[\w-]*\.test\.ch$", &["test.ch"][..]),
            (r"^(a|b)\.(x|y)\.ch$", &["x.ch", "y.ch"]),
            (r"^n[^.]*\.dc[^.]*\.test\.ch$", &[]),
            (r"\.test\.ch$", &["test.ch"]),
            ("^node-", &[]),
        ] {
            let Ok(Names::Patterns(found)) = translate(expression) else { panic!("{expression}") };
            assert_eq!(found.domains(), domains, "{expression}");
        }
    }
}
