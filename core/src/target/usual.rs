//! What a target's last answers have used, for what the next one is likely to cost.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::model::{Size, Usage};
use crate::price::Guess;

/// The answers that count. Older ones count less and less.
const LAST: u64 = 64;
/// One answer in the sums, which shrink by a part at each further one.
const ONE: u64 = 1 << 10;
/// The most of a count that is added: a usage may say anything.
const MOST: u64 = 1 << 32;
/// The tokens of an answer of which nothing is known.
const ANSWER: u64 = 500;
/// The answers after which what they have used is known.
const KNOWN: u64 = 4;
/// Those after which an order of targets rests on it.
const WELL_KNOWN: u64 = 32;

/// The sums of the last answers of a target.
#[derive(Debug, Default)]
pub(crate) struct Usual(Mutex<Sums>);

#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    answers: u64,
    /// The tokens of the prompts, as the requests let us guess them.
    guessed: u64,
    prompt: u64,
    cached: u64,
    output: u64,
}

impl Usual {
    /// Learns from an answer to a prompt of so many tokens, as they were guessed.
    pub(crate) fn learn(&self, guessed: u64, usage: Option<&Usage>) {
        let Some(usage) = usage else { return };
        let (Some(prompt), output) = (usage.prompt_tokens, usage.completion_tokens) else { return };
        let details = usage.prompt_tokens_details.as_ref();
        let cached = details.and_then(|details| details.cached_tokens).unwrap_or(0);
        let mut sums = self.lock();
        let add = |sum: &mut u64, count: u64| {
            *sum = *sum - *sum / LAST + count.min(MOST) * ONE;
        };
        add(&mut sums.answers, 1);
        add(&mut sums.guessed, guessed);
        add(&mut sums.prompt, prompt);
        add(&mut sums.cached, cached.min(prompt));
        add(&mut sums.output, output.unwrap_or(0));
    }

    /// The tokens that an answer is reserved: the most that it may have, or twice the mean.
    pub(crate) fn answer(&self, most: Option<u64>) -> u64 {
        most.unwrap_or_else(|| self.mean().map_or(ANSWER, |mean| mean.saturating_mul(2)))
    }

    /// What a request of this size is likely to use here.
    pub(crate) fn guess(&self, size: &Size) -> Guess {
        let (sums, input) = (*self.lock(), size.likely_input());
        let part = |count: u64, part: u64, of: u64| {
            let of = u128::from(of.max(1));
            let share = (u128::from(count) * u128::from(part) + of / 2) / of;
            u64::try_from(share).unwrap_or(u64::MAX)
        };
        let known = sums.of(KNOWN) && sums.guessed > 0;
        let input = if known { part(input, sums.prompt, sums.guessed) } else { input };
        let cached = if known { part(input, sums.cached, sums.prompt) } else { 0 };
        let most = size.answer.unwrap_or(u64::MAX);
        let output = match sums.of(WELL_KNOWN) {
            true => sums.mean(),
            false => size.answer.unwrap_or(ANSWER),
        };
        Guess { input, cached, output: output.min(most), searches: size.searches }
    }

    /// The mean of the answers' tokens, once there were some.
    fn mean(&self) -> Option<u64> {
        let sums = *self.lock();
        sums.of(KNOWN).then(|| sums.mean())
    }

    fn lock(&self) -> MutexGuard<'_, Sums> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sums {
    /// Whether there were about as many answers.
    fn of(&self, answers: u64) -> bool {
        self.answers > (answers - 1) * ONE * 3 / 4
    }

    /// The mean of the answers' tokens, to the nearest.
    fn mean(&self) -> u64 {
        (self.output + self.answers / 2) / self.answers.max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::PromptDetails;

    fn usage(prompt: u64, cached: u64, output: u64) -> Usage {
        let cached_tokens = Some(cached);
        Usage {
            prompt_tokens: Some(prompt),
            completion_tokens: Some(output),
            prompt_tokens_details: Some(PromptDetails { cached_tokens, ..Default::default() }),
            ..Usage::default()
        }
    }

    #[test]
    fn an_answer_is_twice_the_mean_once_it_is_known() {
        let usual = Usual::default();
        assert_eq!(usual.answer(None), 500);
        assert_eq!(usual.answer(Some(7)), 7);
        for _ in 0..10 {
            usual.learn(10, Some(&usage(10, 0, 40)));
        }
        assert_eq!(usual.answer(None), 80);
        usual.learn(10, None);
        let size = Size { bytes: 36, answer: Some(30), ..Size::default() };
        // Too few of them for an order.
        assert_eq!(usual.guess(&size).output, 30);
        // Later answers count more than old ones, and what is absurd does not overflow.
        for _ in 0..1_000 {
            usual.learn(u64::MAX, Some(&usage(u64::MAX, u64::MAX, 8)));
        }
        assert_eq!(usual.answer(None), 16);
    }

    #[test]
    fn a_guess_follows_what_was_used() {
        let usual = Usual::default();
        let size = Size { bytes: 396, ..Size::default() };
        let first = usual.guess(&size);
        assert_eq!((first.input, first.cached, first.output), (100, 0, 500));
        for _ in 0..64 {
            // Half as many tokens again as were guessed, and a third of them cached.
            usual.learn(200, Some(&usage(300, 100, 40)));
        }
        let guess = usual.guess(&size);
        assert_eq!((guess.input, guess.cached, guess.output), (150, 50, 40));
        assert_eq!(usual.guess(&Size { answer: Some(7), ..size }).output, 7);
        // Vectors have no tokens of their own.
        assert_eq!(usual.guess(&Size { answer: Some(0), ..size }).output, 0);
    }
}
