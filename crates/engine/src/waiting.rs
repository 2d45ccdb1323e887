mod sending;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::Hash;
use std::time::Duration;

use csr::Rule;

use crate::agenda::Agenda;
use crate::flights::Place;
use crate::guest::{Answered, Found, Guest};
use crate::lanes::Identity;
use crate::lines::Lines;
use crate::pass::Pass;
use crate::question::{Asked, QuestionId, Sending};
use crate::records::Slot;
use crate::{Failure, Retry, Source};

/// Where requests wait for answers, and for other answers.
///
/// Requests with the same question share the next answer, and only one that they were there for before it was asked. No
/// answer is kept. A question whose answer holds requests is asked again after a while: one back-off for the question,
/// however many requests it holds.
#[derive(Debug)]
pub(crate) struct WaitingRoom<Q, A> {
    retry: Retry,
    now: Duration,
    asked: HashMap<QuestionId, Asked<Q, A>>,
    ids: HashMap<Q, QuestionId>,
    guests: HashMap<Slot, Guest<Q, A>>,
    /// Those of them that go on at once when they are answered.
    in_turn: BTreeSet<Slot>,
    /// What is to be sent, by where it goes.
    wanted: [Lines; Place::ALL.len()],
    overdue: [Lines; Place::ALL.len()],
    source: fn(&Q) -> Source,
    rounds: Agenda<Duration, QuestionId>,
    next_id: u64,
    shared_answers: u64,
    /// How many records each rule holds, by its id.
    held_by: BTreeMap<&'static str, usize>,
}

impl<Q, A> WaitingRoom<Q, A>
where
    Q: Clone + Eq + Hash,
    A: Clone + PartialEq,
{
    pub(crate) fn new(retry: Retry) -> Self {
        Self {
            retry,
            now: Duration::ZERO,
            asked: HashMap::new(),
            ids: HashMap::new(),
            guests: HashMap::new(),
            in_turn: BTreeSet::new(),
            wanted: Default::default(),
            overdue: Default::default(),
            source: |_| Source::ApiServer,
            rounds: Agenda::default(),
            next_id: 0,
            shared_answers: 0,
            held_by: BTreeMap::new(),
        }
    }

    /// Says who answers a question.
    pub(crate) fn ask(&mut self, source: fn(&Q) -> Source) {
        self.source = source;
    }

    /// What time it is.
    pub(crate) fn at(&mut self, now: Duration) {
        self.now = now;
    }

    /// Seats the record of a pass until these questions are answered; what was answered before comes along.
    pub(crate) fn wait(&mut self, questions: Vec<Q>, pass: Pass<Q, A>, identity: Identity) {
        let Pass { slot, answers, has_turn, .. } = pass;
        let mut missing = BTreeSet::new();
        for question in questions {
            let id = self.id(question);
            if let Some(asked) = self.asked.get_mut(&id) {
                asked.seat(slot);
            }
            self.want(id);
            self.line_up(id, &[identity]);
            missing.insert(id);
        }
        if has_turn {
            self.in_turn.insert(slot);
        }
        let guest = Guest { identity, missing, answers, has_turn, held_on: BTreeSet::new(), rule: None };
        self.guests.insert(slot, guest);
    }

    /// Holds a record until one of these questions, answered so in its pass, is answered differently.
    pub(crate) fn hold(
        &mut self,
        pass: Pass<Q, A>,
        hold: (Vec<(Q, Option<A>)>, &'static Rule),
        identity: Identity,
    ) {
        let Pass { slot, answers, .. } = pass;
        let (on, rule) = hold;
        let mut held_on = BTreeSet::new();
        for (question, answer) in on {
            let in_pass = || answers.iter().find(|found| found.question == question);
            let answer = answer.or_else(|| in_pass().map(|found| found.answer.clone()));
            let id = self.id(question);
            if let Some(asked) = self.asked.get_mut(&id) {
                asked.hold(slot, answer);
            }
            self.line_up(id, &[identity]);
            self.ensure_round(id);
            held_on.insert(id);
        }
        let guest = Guest {
            identity,
            missing: BTreeSet::new(),
            answers: Vec::new(),
            has_turn: false,
            held_on,
            rule: Some(rule),
        };
        *self.held_by.entry(rule.id).or_default() += 1;
        self.guests.insert(slot, guest);
    }

    /// Takes a record out, whatever it waits for.
    pub(crate) fn leave(&mut self, slot: Slot) {
        self.in_turn.remove(&slot);
        let Some(guest) = self.guests.remove(&slot) else {
            return;
        };
        self.let_go(guest.rule);
        for id in guest.missing.into_iter().chain(guest.held_on) {
            if let Some(asked) = self.asked.get_mut(&id) {
                asked.leave(slot);
            }
            self.drop_if_deserted(id);
        }
    }

    /// Takes a record out with the answers it got, unless it has waited with them for longer than `lifetime`, but for those
    /// that are old by now.
    pub(crate) fn take_answers(&mut self, slot: Slot, lifetime: Duration) -> Answered<Q, A> {
        self.in_turn.remove(&slot);
        let Some(guest) = self.guests.remove(&slot) else {
            return Answered { answers: Vec::new(), has_turn: false };
        };
        self.let_go(guest.rule);
        guest.into_answered(lifetime, self.now)
    }

    /// Whether a record goes on at once when it is answered.
    pub(crate) fn has_turn(&self, slot: Slot) -> bool {
        self.in_turn.contains(&slot)
    }

    /// The records that go on at once when they are answered.
    pub(crate) fn in_turn(&self) -> impl Iterator<Item = Slot> {
        self.in_turn.iter().copied()
    }

    /// Who shares the answer under way.
    pub(crate) fn sharers(&self, id: QuestionId) -> impl Iterator<Item = Slot> {
        self.asked.get(&id).into_iter().flat_map(|asked| asked.current.iter().copied())
    }

    /// Looks for a question whose next round is due. Says whether there was one.
    pub(crate) fn wake(&mut self) -> bool {
        let Some(id) = self.rounds.pop_due(self.now) else {
            return false;
        };
        if let Some(asked) = self.asked.get_mut(&id) {
            asked.due = None;
            if asked.sending == Sending::Idle {
                asked.sending = Sending::Overdue;
                self.line_up(id, &self.seekers(id));
            }
        }
        true
    }

    /// When the next round is due.
    pub(crate) fn next_round(&self) -> Option<Duration> {
        self.rounds.next()
    }

    /// Hands an answer out. Returns the records that wait for no other answer now.
    pub(crate) fn answered(&mut self, id: QuestionId, answer: &A) -> Vec<Slot> {
        let Some(asked) = self.asked.get_mut(&id) else {
            return Vec::new();
        };
        let question = asked.question.clone();
        let (waited, released) = asked.answered(answer);
        self.shared_answers += (waited.len() + released.len()).saturating_sub(1) as u64;
        for slot in &released {
            self.release(*slot, id);
        }
        let served = waited.into_iter().chain(released);
        let found = Found { question, answer: answer.clone(), at: self.now };
        let woken = served.filter(|slot| self.serve(*slot, id, found.clone())).collect();
        self.end_round(id);
        woken
    }

    /// Nobody got an answer: the question goes again later, and all wait on.
    pub(crate) fn failed(&mut self, id: QuestionId, failure: Failure) {
        let Some(asked) = self.asked.get_mut(&id) else {
            return;
        };
        asked.failed();
        if let Some(pause) = failure.retry_after {
            asked.not_before = self.now + pause.min(self.retry.max_delay);
        }
        if asked.is_deserted() {
            self.drop_if_deserted(id);
        } else {
            self.ensure_round(id);
        }
    }

    /// Whoever is held on the question gets a new answer, with nothing held against it.
    pub(crate) fn fact_changed(&mut self, question: &Q) {
        let Some(&id) = self.ids.get(question) else {
            return;
        };
        let Some(asked) = self.asked.get_mut(&id) else {
            return;
        };
        asked.attempts = 0;
        if asked.sending == Sending::Sent {
            asked.changed = true;
        } else {
            self.want(id);
        }
    }

    /// Which rule holds a record.
    pub(crate) fn rule(&self, slot: Slot) -> Option<&'static Rule> {
        self.guests.get(&slot)?.rule
    }

    /// How many records each rule holds, by its id; those that hold none any more included.
    pub(crate) fn held_by(&self) -> impl Iterator<Item = (&'static str, usize)> {
        self.held_by.iter().map(|(rule, count)| (*rule, *count))
    }

    fn let_go(&mut self, rule: Option<&'static Rule>) {
        if let Some(count) = rule.and_then(|rule| self.held_by.get_mut(rule.id)) {
            *count -= 1;
        }
    }

    /// Questions that somebody waits for or is held on.
    pub(crate) fn questions(&self) -> usize {
        self.asked.len()
    }

    /// Answers that a request got without a question of its own.
    pub(crate) fn shared_answers(&self) -> u64 {
        self.shared_answers
    }

    /// The question's name in this room, a new one if nobody asks it yet.
    fn id(&mut self, question: Q) -> QuestionId {
        if let Some(id) = self.ids.get(&question) {
            return *id;
        }
        let id = QuestionId(self.next_id);
        self.next_id += 1;
        let place = (self.source)(&question).place();
        self.ids.insert(question.clone(), id);
        self.asked.insert(id, Asked::new(question, place));
        id
    }

    /// Sees to it that the question goes again. An earlier date stands, unless the API server asked for a later one.
    fn ensure_round(&mut self, id: QuestionId) {
        let Some(asked) = self.asked.get_mut(&id) else {
            return;
        };
        let due = match asked.due {
            Some(due) => due.max(asked.not_before),
            None => {
                asked.attempts = asked.attempts.saturating_add(1);
                (self.now + self.retry.delay(asked.attempts, None)).max(asked.not_before)
            }
        };
        if let Some(former) = asked.due.replace(due) {
            self.rounds.remove(former, id);
        }
        self.rounds.insert(due, id);
    }

    /// Gives one record an answer. Says whether it has all it waits for.
    fn serve(&mut self, slot: Slot, id: QuestionId, answer: Found<Q, A>) -> bool {
        self.guests.get_mut(&slot).is_some_and(|guest| {
            guest.missing.remove(&id);
            guest.answers.push(answer);
            guest.missing.is_empty()
        })
    }

    /// Takes a record from all that hold it, but for the question that just let it go.
    fn release(&mut self, slot: Slot, by: QuestionId) {
        let Some(guest) = self.guests.get_mut(&slot) else {
            return;
        };
        let (rule, held_on) = (guest.rule.take(), std::mem::take(&mut guest.held_on));
        self.let_go(rule);
        for id in held_on {
            if let Some(asked) = self.asked.get_mut(&id).filter(|_| id != by) {
                asked.leave(slot);
                self.drop_if_deserted(id);
            }
        }
    }

    /// After an answer: the next round for those who came meanwhile or are held, the end for a question without either.
    fn end_round(&mut self, id: QuestionId) {
        let Some(asked) = self.asked.get(&id) else {
            return;
        };
        if !asked.current.is_empty() || asked.changed && !asked.held.is_empty() {
            self.want(id);
        } else if !asked.held.is_empty() {
            self.ensure_round(id);
        } else {
            self.drop_if_deserted(id);
        }
    }

    /// Forgets a question that nobody waits for; one in flight is forgotten when it comes back.
    fn drop_if_deserted(&mut self, id: QuestionId) {
        let Some(asked) = self.asked.get(&id) else {
            return;
        };
        if !asked.is_deserted() || asked.sending == Sending::Sent {
            return;
        }
        if let Some(due) = asked.due {
            self.rounds.remove(due, id);
        }
        if let Some(asked) = self.asked.remove(&id) {
            self.ids.remove(&asked.question);
        }
    }
}
