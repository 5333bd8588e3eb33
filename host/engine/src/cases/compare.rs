//! Says where two texts part, line by line.

/// How many lines that agree are shown around those that differ.
const AROUND: usize = 2;

/// More pairs of lines than this are not compared with each other: then all that may differ is shown.
const MOST_PAIRS: usize = 4_000_000;

/// The lines that differ and some around them: `-` stands only in the first text, `+` only in the second.
pub fn difference(first: &str, second: &str) -> String {
    let (first, second): (Vec<&str>, Vec<&str>) =
        (first.lines().collect(), second.lines().collect());
    let marked = mark(&first, &second);
    let shown = |place: usize| {
        let around = place.saturating_sub(AROUND)..(place + AROUND + 1).min(marked.len());
        marked[around].iter().any(|(mark, _)| *mark != ' ')
    };
    let mut text = String::new();
    let mut before = None;
    for (place, (mark, line)) in marked.iter().enumerate().filter(|(place, _)| shown(*place)) {
        if place != before.map_or(0, |before| before + 1) {
            text.push_str("  ...\n");
        }
        text.push_str(format!("{mark} {line}").trim_end());
        text.push('\n');
        before = Some(place);
    }
    text
}

/// Every line, with where it stands.
fn mark<'a>(first: &[&'a str], second: &[&'a str]) -> Vec<(char, &'a str)> {
    let start = first.iter().zip(second).take_while(|(one, other)| one == other).count();
    let (first_rest, second_rest) = (&first[start..], &second[start..]);
    let end = first_rest
        .iter()
        .rev()
        .zip(second_rest.iter().rev())
        .take_while(|(one, other)| one == other)
        .count();
    let first_middle = &first_rest[..first_rest.len() - end];
    let second_middle = &second_rest[..second_rest.len() - end];
    let mut marked: Vec<(char, &str)> = first[..start].iter().map(|line| (' ', *line)).collect();
    marked.extend(mark_middle(first_middle, second_middle));
    marked.extend(first_rest[first_middle.len()..].iter().map(|line| (' ', *line)));
    marked
}

/// The longest common subsequence, by the table of lengths that every textbook has.
fn mark_middle<'a>(first: &[&'a str], second: &[&'a str]) -> Vec<(char, &'a str)> {
    if first.len().saturating_mul(second.len()) > MOST_PAIRS {
        let gone = first.iter().map(|line| ('-', *line));
        return gone.chain(second.iter().map(|line| ('+', *line))).collect();
    }
    let mut lengths = vec![vec![0u32; second.len() + 1]; first.len() + 1];
    for one in (0..first.len()).rev() {
        for other in (0..second.len()).rev() {
            lengths[one][other] = if first[one] == second[other] {
                lengths[one + 1][other + 1] + 1
            } else {
                lengths[one + 1][other].max(lengths[one][other + 1])
            };
        }
    }
    let (mut one, mut other) = (0, 0);
    let mut marked = Vec::new();
    while one < first.len() || other < second.len() {
        if one < first.len() && other < second.len() && first[one] == second[other] {
            marked.push((' ', first[one]));
            (one, other) = (one + 1, other + 1);
        } else if one < first.len()
            && (other == second.len() || lengths[one + 1][other] >= lengths[one][other + 1])
        {
            marked.push(('-', first[one]));
            one += 1;
        } else {
            marked.push(('+', second[other]));
            other += 1;
        }
    }
    marked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_differ_stand_between_some_that_agree() {
        let first = "a\nb\nc\nd: ?fave\n  show heat \"1\"\ne\nf\ng\nh\ni\n  end\n";
        let second = "a\nb\nc\nd: ?fave\n  show heat \"2\"\n  say \"so\"\ne\nf\ng\nh\ni\n";
        let expected = "  ...\n  c\n  d: ?fave\n-   show heat \"1\"\n+   show heat \"2\"\n+   say \"so\"\n  e\n  f\n  ...\n  h\n  i\n-   end\n";
        assert_eq!(difference(first, second), expected);
        assert_eq!(difference(first, first), "");
        assert_eq!(difference("", "x"), "+ x\n");
    }
}
