use std::collections::HashMap;
use std::sync::Barrier;
use std::thread;

use super::*;

const HOUR: u64 = 3_600_000;

fn rule(name: &str, limit: u64, enforce: Enforce) -> Rule {
    let (name, window) = (Arc::from(name), Window::Hours(1));
    Rule { name, limit, window, enforce, when: Vec::new(), per: None }
}

fn facts() -> Facts<'static> {
    Facts { tenant: "blue", provider: "openai", model: "gpt", ..Facts::default() }
}

fn held_and_spent(budgets: &Budgets, rule: usize, value: &str, now: u64) -> (u64, u64) {
    let account = budgets.account(rule, value, now);
    (account.held, account.spent)
}

#[test]
fn a_reservation_becomes_what_was_spent() {
    let budgets = Budgets::new(&[rule("a", 100, Enforce::Strict)]).unwrap();
    let hold = budgets.reserve(&facts(), |_| 60, 0).unwrap();
    assert_eq!(held_and_spent(&budgets, 0, "", 0), (60, 0));
    let full = budgets.reserve(&facts(), |_| 41, 0).unwrap_err();
    assert_eq!(full, Full { rule: 0, left: 40, needed: 41, until: Some(HOUR) });
    // One that waits for a limit may find room when it goes.
    assert_eq!(budgets.check(&facts(), |_| 41, 0), Ok(()));
    assert_eq!(budgets.check(&facts(), |_| 101, 0).unwrap_err().left, 100);
    hold.settle(Spent::Known(7));
    assert_eq!(held_and_spent(&budgets, 0, "", 0), (0, 7));
    // Nothing was sent.
    drop(budgets.reserve(&facts(), |_| 93, 0).unwrap());
    assert_eq!(held_and_spent(&budgets, 0, "", 0), (0, 7));
    // Nobody knows what it did cost.
    budgets.reserve(&facts(), |_| 20, 0).unwrap().settle(Spent::Unknown);
    budgets.reserve(&facts(), |_| 30, 0).unwrap().settle(Spent::Likely(1));
    assert_eq!(held_and_spent(&budgets, 0, "", 0), (0, 57));
}

#[test]
fn all_of_several_budgets_or_none() {
    let soft = rule("soft", 10, Enforce::Soft);
    let rules = [rule("large", 100, Enforce::Hard), rule("small", 10, Enforce::Hard), soft];
    let budgets = Budgets::new(&rules).unwrap();
    assert_eq!(budgets.reserve(&facts(), |_| 11, 0).unwrap_err().rule, 1);
    assert_eq!(held_and_spent(&budgets, 0, "", 0), (0, 0));
    let hold = budgets.reserve(&facts(), |_| 10, 0).unwrap();
    assert_eq!(hold.over().count(), 0);
    hold.settle(Spent::Likely(5));
    // A soft budget is passed, and says so.
    let hold = budgets.reserve(&facts(), |rule| if &*rule.name == "soft" { 6 } else { 5 }, 0);
    let hold = hold.unwrap();
    assert_eq!(hold.over().map(|rule| &*rule.name).collect::<Vec<_>>(), ["soft"]);
    hold.settle(Spent::Unknown);
    assert_eq!(held_and_spent(&budgets, 1, "", 0), (0, 10));
    assert_eq!(held_and_spent(&budgets, 2, "", 0), (0, 11));
}

#[test]
fn calls_count_where_they_belong() {
    let read = |text: &str| Fact::read(text).unwrap();
    let when = vec![(read("tenant"), Box::from("blue")), (read("tag:team"), Box::from("x"))];
    let rules = [
        Rule { when, ..rule("blue", 10, Enforce::Hard) },
        Rule { per: Some(read("tag:user")), ..rule("users", 10, Enforce::Hard) },
        Rule { when: vec![(read("route"), "r".into())], ..rule("route", 10, Enforce::Hard) },
    ];
    let budgets = Budgets::new(&rules).unwrap();
    let tags = |user: &str| vec![("team".to_owned(), "x".to_owned()), ("user".into(), user.into())];
    let (ann, bob) = (tags("ann"), tags("bob"));
    budgets.reserve(&Facts { tags: &ann, ..facts() }, |_| 4, 0).unwrap().settle(Spent::Unknown);
    budgets.reserve(&Facts { tags: &bob, ..facts() }, |_| 5, 0).unwrap().settle(Spent::Unknown);
    budgets.reserve(&facts(), |_| 6, 0).unwrap().settle(Spent::Unknown);
    let other = Facts { tenant: "red", route: "r", tags: &ann, ..facts() };
    budgets.reserve(&other, |_| 1, 0).unwrap().settle(Spent::Unknown);
    let spent = |rule, value| held_and_spent(&budgets, rule, value, 0).1;
    assert_eq!(spent(0, ""), 9);
    assert_eq!([spent(1, "ann"), spent(1, "bob"), spent(1, "")], [5, 5, 6]);
    assert_eq!(spent(2, ""), 1);
}

/// What is settled late counts in the window of its reservation, and gives the next one no room.
#[test]
fn a_late_settlement_belongs_to_its_window() {
    let budgets = Budgets::new(&[rule("a", 100, Enforce::Strict)]).unwrap();
    let late = budgets.reserve(&facts(), |_| 80, HOUR - 1).unwrap();
    let next = budgets.reserve(&facts(), |_| 100, HOUR).unwrap();
    late.settle(Spent::Known(70));
    assert_eq!(held_and_spent(&budgets, 0, "", HOUR), (100, 0));
    assert_eq!(held_and_spent(&budgets, 0, "", HOUR - 1), (0, 70));
    next.settle(Spent::Known(1));
    assert_eq!(held_and_spent(&budgets, 0, "", HOUR), (0, 1));
}

#[test]
fn names_that_callers_make_up_take_no_room_for_ever() {
    let users = Rule { per: Fact::read("tag:user"), ..rule("users", 10, Enforce::Strict) };
    let budgets = Budgets::new(std::slice::from_ref(&users)).unwrap();
    *budgets.lock() = Ledgers::new(1).with_most(100);
    let spend = |user: usize, now: u64| {
        let tags = [("user".to_owned(), user.to_string())];
        let reserved = budgets.reserve(&Facts { tags: &tags, ..facts() }, |_| 4, now);
        reserved.map(|hold| hold.settle(Spent::Unknown))
    };
    // Each of the first has its own, and the others have one together.
    let passed = (0..1_000).filter(|user| spend(*user, 5).is_ok()).count();
    assert_eq!(passed, 100 + 2);
    assert_eq!(budgets.lock().count(), 101);
    // Nobody loses what he has spent.
    assert_eq!(held_and_spent(&budgets, 0, "3", 5), (0, 4));
    assert!(spend(3, 5).is_ok() && spend(3, 5).is_err());
    // In the next window there is room again.
    assert!(spend(5_000, HOUR).is_ok());
    assert_eq!(held_and_spent(&budgets, 0, "5000", HOUR), (0, 4));
}

/// Ledgers that go make no room for a value that has spent in a shared one.
#[test]
fn a_value_that_shared_a_ledger_has_no_new_money() {
    let users = Rule { per: Fact::read("tag:user"), ..rule("users", 10, Enforce::Strict) };
    let budgets = Budgets::new(std::slice::from_ref(&users)).unwrap();
    *budgets.lock() = Ledgers::new(1).with_most(100);
    let reserve = |user: &str, now: u64| {
        let tags = [("user".to_owned(), user.to_owned())];
        budgets.reserve(&Facts { tags: &tags, ..facts() }, |_| 10, now)
    };
    let others: Vec<_> = (0..100).map(|n| reserve(&n.to_string(), 5).unwrap()).collect();
    reserve("late", 5).unwrap().settle(Spent::Unknown);
    // Nothing was sent for the others, and they are looked through later.
    drop(others);
    let later = 5 + 2_000;
    assert!(reserve("late", later).is_err());
    assert_eq!(held_and_spent(&budgets, 0, "late", later), (0, 10));
    assert!(reserve("late", HOUR).is_ok());
}

#[test]
fn a_clock_that_is_set_back_finds_what_was_spent() {
    let budgets = Budgets::new(&[rule("a", 100, Enforce::Strict)]).unwrap();
    budgets.reserve(&facts(), |_| 80, HOUR - 1).unwrap().settle(Spent::Unknown);
    budgets.reserve(&facts(), |_| 1, HOUR).unwrap().settle(Spent::Unknown);
    assert!(budgets.reserve(&facts(), |_| 21, HOUR - 2).is_err());
}

/// Only a strict budget keeps money for the request that was lost.
#[test]
fn a_request_that_goes_out_twice_is_reserved_twice() {
    let rules = [rule("strict", 100, Enforce::Strict), rule("hard", 50, Enforce::Hard)];
    let budgets = Budgets::new(&rules).unwrap();
    let hold = budgets.reserve(&facts(), |_| 40, 0).unwrap();
    let again = hold.again(0).unwrap();
    assert_eq!(held_and_spent(&budgets, 0, "", 0), (80, 0));
    assert_eq!(held_and_spent(&budgets, 1, "", 0), (40, 0));
    assert!(hold.again(0).is_err());
    hold.settle(Spent::Known(3));
    again.settle(Spent::Unknown);
    assert_eq!(held_and_spent(&budgets, 0, "", 0), (0, 43));
    assert_eq!(held_and_spent(&budgets, 1, "", 0), (0, 3));
}

/// Sixty-four attempts at once for the last cent: one passes.
#[test]
fn one_of_many_gets_the_last_cent() {
    for _ in 0..20 {
        let budgets = Budgets::new(&[rule("a", 100, Enforce::Strict)]).unwrap();
        budgets.reserve(&facts(), |_| 99, 0).unwrap().settle(Spent::Unknown);
        let barrier = Barrier::new(64);
        let passed = thread::scope(|scope| {
            let one = || {
                barrier.wait();
                budgets.reserve(&facts(), |_| 1, 0).ok()
            };
            let threads: Vec<_> = (0..64).map(|_| scope.spawn(one)).collect();
            // None of them gives its room back meanwhile.
            let holds: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
            holds.iter().flatten().count()
        });
        assert_eq!(passed, 1);
        // The one that passed was dropped: nothing was sent.
        assert_eq!(held_and_spent(&budgets, 0, "", 0), (0, 99));
    }
}

/// Random attempts, with late ends, lost answers and changes of the window. A strict budget is never
/// above its limit, and what is reserved is what was settled and what is held.
#[test]
fn schedules_of_any_kind_keep_the_limit() {
    for seed in 0..200 {
        let mut rng = fastrand::Rng::with_seed(seed);
        let limit = rng.u64(1_000..400_000);
        let rules = [rule("strict", limit, Enforce::Strict), rule("hard", limit, Enforce::Hard)];
        let budgets = Budgets::new(&rules).unwrap();
        let mut now = rng.u64(0..10 * HOUR);
        let mut open: Vec<(Hold, u64, u64)> = Vec::new();
        // By window: what the strict budget was charged, and what it holds.
        let mut sums: HashMap<u64, (u64, u64)> = HashMap::new();
        for _ in 0..2_000 {
            now += rng.u64(0..HOUR / 200);
            let (most, likely) = (rng.u64(1..limit / 3 + 2), rng.u64(1..limit / 30 + 2));
            let amount = |rule: &Rule| if rule.enforce == Enforce::Strict { most } else { likely };
            if let Ok(hold) = budgets.reserve(&facts(), amount, now) {
                sums.entry(now / HOUR).or_default().1 += most;
                open.push((hold, most, now / HOUR));
            }
            if !open.is_empty() && rng.bool() {
                let (hold, most, window) = open.swap_remove(rng.usize(..open.len()));
                let cost = match rng.u8(..4) {
                    0 => {
                        drop(hold);
                        0
                    }
                    1 => {
                        hold.settle(Spent::Unknown);
                        most
                    }
                    2 => {
                        hold.settle(Spent::Likely(1));
                        most
                    }
                    _ => {
                        let cost = rng.u64(0..=most);
                        hold.settle(Spent::Known(cost));
                        cost
                    }
                };
                let sum = sums.entry(window).or_default();
                *sum = (sum.0 + cost, sum.1 - most);
            }
            let (held, spent) = held_and_spent(&budgets, 0, "", now);
            let expected = sums.get(&(now / HOUR)).copied().unwrap_or_default();
            assert_eq!((spent, held), expected, "seed {seed}");
            assert!(spent + held <= limit, "seed {seed}: {spent} and {held} of {limit}");
        }
    }
}
