//! The windows of budgets: hours, days, weeks and months of UTC.

/// How long the money of a budget has to last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Window {
    /// So many hours, counted from 1970.
    Hours(u32),
    /// From Monday to Sunday.
    Week,
    /// A month of the calendar.
    Month,
    /// All time: it has no end.
    Total,
}

/// One window: from its begin to its end, in milliseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start: u64,
    /// The first millisecond that is not in it. `None`: it has no end.
    pub(crate) end: Option<u64>,
}

const HOUR: u64 = 3_600_000;
const DAY: u64 = 24 * HOUR;
/// 1970-01-01 was a Thursday: this many days of its week had passed.
const BEFORE_THURSDAY: u64 = 3;
/// The most hours of a window: ten years.
const MOST_HOURS: u32 = 87_600;

impl Window {
    /// Reads `hour`, `day`, `week`, `month`, `total`, `12h` or `30d`.
    pub(crate) fn read(text: &str) -> Option<Window> {
        Some(match text {
            "hour" => Window::Hours(1),
            "day" => Window::Hours(24),
            "week" => Window::Week,
            "month" => Window::Month,
            "total" => Window::Total,
            other => {
                let (count, hours) = match other.strip_suffix('h') {
                    Some(count) => (count, 1),
                    None => (other.strip_suffix('d')?, 24),
                };
                let digits = !count.is_empty() && count.bytes().all(|byte| byte.is_ascii_digit());
                let count: u32 = count.parse().ok().filter(|count| digits && *count > 0)?;
                let hours = count.checked_mul(hours).filter(|hours| *hours <= MOST_HOURS)?;
                Window::Hours(hours)
            }
        })
    }

    /// The window that a time is in.
    pub(crate) fn at(self, now: u64) -> Span {
        let span = |start: u64, length: u64| Span { start, end: Some(start + length) };
        match self {
            Window::Hours(hours) => {
                let length = u64::from(hours) * HOUR;
                span(now - now % length, length)
            }
            Window::Week => {
                let today = now / DAY;
                let since_monday = (today + BEFORE_THURSDAY) % 7;
                // The week in which 1970 began has four days.
                let start = today.saturating_sub(since_monday) * DAY;
                Span { start, end: Some((today + 7 - since_monday) * DAY) }
            }
            Window::Month => {
                let (start, days) = month(now / DAY);
                span(start * DAY, days * DAY)
            }
            Window::Total => Span { start: 0, end: None },
        }
    }
}

/// The first day of a day's month, and how many days it has. Days are counted from 1970.
fn month(day: u64) -> (u64, u64) {
    let (mut year, mut left) = (1970, day);
    loop {
        let days = if is_leap(year) { 366 } else { 365 };
        if left < days {
            break;
        }
        left -= days;
        year += 1;
    }
    let february = if is_leap(year) { 29 } else { 28 };
    let lengths = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    for length in lengths {
        if left < length {
            return (day - left, length);
        }
        left -= length;
    }
    (day - left, 31)
}

fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-30T13:45:00Z, a Monday.
    const NOW: u64 = 1_796_046_300_000;

    #[test]
    fn windows_are_those_of_the_calendar() {
        for (text, start, length) in [
            ("hour", 1_796_043_600_000, Some(HOUR)),
            ("1h", 1_796_043_600_000, Some(HOUR)),
            ("day", 1_795_996_800_000, Some(DAY)),
            ("week", 1_795_996_800_000, Some(7 * DAY)),
            // From 2026-11-01.
            ("month", 1_793_491_200_000, Some(30 * DAY)),
            ("30d", NOW - NOW % (30 * DAY), Some(30 * DAY)),
            ("total", 0, None),
        ] {
            let span = Window::read(text).unwrap().at(NOW);
            assert_eq!(span, Span { start, end: length.map(|length| start + length) }, "{text}");
        }
    }

    #[test]
    fn a_day_later_than_sunday_is_another_week() {
        let monday = 1_795_996_800_000;
        let week = |now| Window::Week.at(now).start;
        assert_eq!(week(monday - 1), monday - 7 * DAY);
        assert_eq!(week(monday), monday);
        assert_eq!(week(monday + 7 * DAY - 1), monday);
        assert_eq!(Window::Week.at(0), Span { start: 0, end: Some(4 * DAY) });
        assert_eq!(week(4 * DAY), 4 * DAY);
    }

    #[test]
    fn months_have_their_lengths() {
        // 2028-02-29, 2100-02-28 and 2026-12-31.
        for (day, start, days) in [(21_243, 21_215, 29), (47_540, 47_513, 28), (20_818, 20_788, 31)]
        {
            let span = Window::Month.at(day * DAY + 5);
            assert_eq!(span, Span { start: start * DAY, end: Some((start + days) * DAY) });
        }
    }

    /// Each time is in exactly one window, and the next begins where it ends.
    #[test]
    fn windows_follow_one_another() {
        let windows =
            [Window::Hours(1), Window::Hours(5), Window::Hours(720), Window::Week, Window::Month];
        for window in windows {
            let mut now = 0;
            for _ in 0..2_000 {
                let span = window.at(now);
                assert_eq!(span.start, now, "{window:?}");
                let end = span.end.unwrap();
                assert_eq!(window.at(end - 1), span, "{window:?}");
                now = end;
            }
        }
    }

    #[test]
    fn what_is_no_window() {
        for wrong in ["", "0d", "0h", "d", "-1d", "+1d", "1.5h", "1w", "87601h", "3651d", "Day"] {
            assert_eq!(Window::read(wrong), None, "{wrong}");
        }
        assert_eq!(Window::read("87600h"), Some(Window::Hours(87_600)));
    }
}
