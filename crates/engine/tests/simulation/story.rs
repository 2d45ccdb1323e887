use std::time::Duration;

use engine::{Cleaning, Counts, Input, Rank, Retention, Retentions, Settings};
use time::OffsetDateTime;

use crate::approver::Policy;
use crate::object::{CLIENT, Content, FOREIGN, Object, SERVING};
use crate::replica::{Micros, SECOND};
use crate::server::{Permission, Question, cleaned_after};
use crate::world::{Event, World};

/// Half an hour in which everything happens, then peace, in which everything has to come right.
pub(crate) struct Story {
    world: World,
    leader: usize,
    created: u64,
}

/// From then on no reload wakes what was forgotten.
const LAST_RELOAD: Micros = 900 * SECOND;

/// When the peace begins.
const PEACE: Micros = 1800 * SECOND;

/// What backs off longest comes twice.
const SETTLED: Micros = PEACE + 2300 * SECOND;

const USERS: [&str; 4] = ["system:bootstrap:abcdef", "system:node:a", "system:node:b", "alice"];

impl Story {
    /// Plays the story of this seed to its end.
    pub(crate) fn play(seed: u64) {
        let mut story = Self::new(seed);
        story.begin();
        story.act_until(LAST_RELOAD);
        story.reload(Policy { generous: true, broken_authority: false });
        story.act_until(PEACE);
        story.make_peace();
        story.world.run(SETTLED);
        story.check_served();
        let end = SETTLED + if story.is_short() { 3 * 3600 } else { 27 * 3600 } * SECOND;
        story.world.run(end);
        story.check_cleaned();
    }

    fn new(seed: u64) -> Self {
        let mut world = World::new(seed, 1, settings(seed), retention(seed));
        if world.dice.percent(50) {
            world = World::new(seed, 2, settings(seed), retention(seed));
        }
        world.faults = world.dice.pick(&[0, 5, 30]);
        Self { world, leader: 0, created: 0 }
    }

    fn is_short(&self) -> bool {
        self.world.standings.retention != Retentions::default()
    }

    fn begin(&mut self) {
        for replica in 0..self.world.replicas.len() {
            self.world.replicas[replica].relist(&self.world.server, 0, None);
            let broken_authority = self.world.dice.percent(20);
            self.world.replicas[replica].policy = Policy { generous: false, broken_authority };
        }
        for username in USERS {
            for permission in [Permission::Node, Permission::SelfNode] {
                if self.world.dice.percent(40) {
                    self.world.server.granted.insert(Question { username: username.into(), permission });
                }
            }
        }
        self.world.tell(0, 0, Input::Leading(true));
        self.world.after(0, Event::Act);
    }

    fn act_until(&mut self, end: Micros) {
        while let Some(is_turn) = self.world.step(end) {
            if is_turn {
                self.act();
            }
        }
    }

    /// One thing happens, and another one soon.
    fn act(&mut self) {
        let pause = self.world.dice.pick(&[0, SECOND / 100, SECOND, 60 * SECOND, 200 * SECOND]);
        let delay = self.world.dice.between(pause / 2, pause + 2);
        self.world.after(delay, Event::Act);
        match self.world.dice.below(24) {
            0..=7 => self.create(),
            8 => self.change("Approved"),
            9 => self.change("Denied"),
            10 => self.change("Failed"),
            11 => self.change("example.com/Seen"),
            12 => self.touch(),
            13 => self.recreate(),
            14..=16 => self.permit(),
            17 => self.reload_at_random(),
            18 => self.world.outage_until = self.world.now + self.world.dice.below(60 * SECOND),
            19 => self.change_leader(),
            20 => self.crash(),
            21 => self.cut_watch(),
            22 => self.step_clock(),
            _ => self.go_deaf(),
        }
    }

    fn create(&mut self) {
        self.created += 1;
        let dice = &mut self.world.dice;
        let age = dice.pick(&[0, 0, 0, 600, 3000, 7000, 86_000]);
        let name = format!("csr-{}", self.created);
        let object = object(&name, self.world.wall() - Duration::from_secs(age));
        let dice = &mut self.world.dice;
        let username = dice.pick(&USERS);
        let object = Object {
            signer_name: dice.pick(&[CLIENT, CLIENT, CLIENT, SERVING, FOREIGN]),
            username: username.into(),
            common_name: Some(username.into()),
            content: dice.pick(&[&Content::ALL[..], &[Content::Node; 6]].concat()),
            ..object
        };
        self.world.server.create(object);
    }

    fn change(&mut self, condition: &'static str) {
        let Some(name) = self.any_name() else { return };
        let age = Duration::from_secs(self.world.dice.pick(&[0, 0, 3590, 3601, 86_400]));
        let time = self.world.dice.percent(90).then(|| self.world.wall() - age);
        self.world.server.change(&name, |object| {
            let excluded = match condition {
                "Approved" => object.has("Denied"),
                "Denied" => object.has("Approved"),
                _ => false,
            };
            if !excluded && !object.has(condition) {
                object.conditions.push((condition, time));
            }
        });
    }

    fn touch(&mut self) {
        let Some(name) = self.any_name() else { return };
        self.world.server.change(&name, |_| {});
    }

    /// The same name, another object, perhaps.
    fn recreate(&mut self) {
        let Some(name) = self.any_name() else { return };
        let object = self.world.server.objects[&name].clone();
        self.world.server.delete(&name);
        if self.world.dice.percent(70) {
            let created = self.world.wall().replace_nanosecond(0).unwrap();
            self.world.server.create(Object { conditions: Vec::new(), certified: false, created, ..object });
        }
    }

    fn permit(&mut self) {
        let dice = &mut self.world.dice;
        let username = dice.pick(&USERS).into();
        let question =
            Question { username, permission: dice.pick(&[Permission::Node, Permission::SelfNode]) };
        if !self.world.server.granted.remove(&question) {
            self.world.server.granted.insert(question.clone());
        }
        for replica in 0..self.world.replicas.len() {
            if self.world.dice.percent(30) {
                self.world.tell(replica, 1000, Input::FactChanged(question.clone()));
            }
        }
    }

    fn reload_at_random(&mut self) {
        let policy =
            Policy { generous: self.world.dice.percent(50), broken_authority: self.world.dice.percent(20) };
        if self.world.now < LAST_RELOAD {
            self.reload(policy);
        }
    }

    fn reload(&mut self, policy: Policy) {
        for replica in 0..self.world.replicas.len() {
            self.world.reload(replica, policy);
        }
    }

    /// The lease goes to somebody, who may learn of it before or after the one who had it.
    fn change_leader(&mut self) {
        let former = self.leader;
        self.leader = self.world.replicas.len() - 1 - former;
        let (late, early) = (self.world.dice.below(3 * SECOND), self.world.dice.below(3 * SECOND));
        self.world.tell(former, late, Input::Leading(false));
        let delay = if former == self.leader { late + 1 } else { early };
        self.world.tell(self.leader, delay, Input::Leading(true));
    }

    fn crash(&mut self) {
        let replica = usize::try_from(self.world.dice.below(self.world.replicas.len() as u64)).unwrap();
        let position = self.any_position(5);
        let standings = self.world.standings.clone();
        let World { replicas, server, now, .. } = &mut self.world;
        replicas[replica].restart(standings, *now);
        replicas[replica].relist(server, position, None);
        if replica == self.leader {
            let delay = self.world.dice.below(20 * SECOND);
            self.world.tell(replica, delay, Input::Leading(true));
        }
    }

    /// The watch goes on at an earlier event, or with a list that may be out of date or break off.
    fn cut_watch(&mut self) {
        let replica = usize::try_from(self.world.dice.below(self.world.replicas.len() as u64)).unwrap();
        let position = self.any_position(6);
        let partial = self.world.dice.percent(30).then(|| usize::try_from(self.world.dice.below(9)).unwrap());
        let World { replicas, server, dice, .. } = &mut self.world;
        if dice.percent(40) {
            replicas[replica].rewind(usize::try_from(dice.below(6)).unwrap());
        } else {
            replicas[replica].relist(server, position, partial);
        }
    }

    fn go_deaf(&mut self) {
        let replica = usize::try_from(self.world.dice.below(self.world.replicas.len() as u64)).unwrap();
        let until = self.world.now + self.world.dice.below(40 * SECOND);
        self.world.replicas[replica].deaf_until = until;
    }

    fn step_clock(&mut self) {
        let skew = self.world.dice.pick(&[-3000, -5, 0, 5, 3000]);
        for replica in &mut self.world.replicas {
            replica.skew = time::Duration::seconds(skew);
        }
    }

    fn make_peace(&mut self) {
        self.world.faults = 0;
        self.world.outage_until = 0;
        for replica in 0..self.world.replicas.len() {
            self.world.replicas[replica].skew = time::Duration::ZERO;
            self.world.tell(replica, 4 * SECOND, Input::Leading(replica == self.leader));
        }
    }

    fn any_name(&mut self) -> Option<String> {
        let names: Vec<_> = self.world.server.objects.keys().cloned().collect();
        (!names.is_empty()).then(|| self.world.dice.pick(&names))
    }

    /// A place in the log, at most so far back.
    fn any_position(&mut self, back: u64) -> usize {
        let back = usize::try_from(self.world.dice.below(back)).unwrap();
        self.world.server.log.len().saturating_sub(back)
    }

    /// No wake-up was lost: whatever could be done, is done.
    fn check_served(&self) {
        for object in self.world.server.objects.values().filter(|object| !self.is_due(object, Duration::ZERO))
        {
            assert!(self.is_served(object), "left alone: {object:?}");
        }
        for replica in &self.world.replicas {
            let records = replica.engine.counts().records;
            assert_eq!(records, self.world.server.objects.len(), "records and objects differ");
        }
    }

    fn is_served(&self, object: &Object) -> bool {
        let granted = |permission| {
            let username = object.username.clone();
            self.world.server.granted.contains(&Question { username, permission })
        };
        if object.certified || object.has("Denied") || object.has("Failed") {
            return true;
        }
        if object.has("Approved") {
            return object.signer_name == FOREIGN || object.content == Content::Broken;
        }
        let node = granted(Permission::Node);
        object.signer_name != CLIENT
            || match object.content {
                Content::Node | Content::Bad => !node,
                Content::SelfNode | Content::Either => !node && !granted(Permission::SelfNode),
                Content::Unknown | Content::Broken => true,
                Content::Forbidden | Content::Unpolitic => false,
            }
    }

    fn is_due(&self, object: &Object, slack: Duration) -> bool {
        let due = cleaned_after(&object.decoded(), &self.world.standings.retention);
        due.is_some_and(|due| self.world.wall() > due + slack)
    }

    /// Everything due is gone, everything else is there, and nothing is left to do.
    fn check_cleaned(&self) {
        for object in self.world.server.objects.values() {
            assert!(!self.is_due(object, Duration::from_secs(1010)), "not cleaned: {object:?}");
        }
        let leader = &self.world.replicas[self.leader];
        let counts = leader.engine.counts();
        let [fresh, late, superseded] =
            [Rank::Fresh, Rank::Late, Rank::Superseded].map(|rank| counts.queued(rank).depth);
        let Counts { records, passes, waiting, calls, deletes, .. } = counts;
        assert_eq!(records, self.world.server.objects.len(), "records and objects differ");
        assert_eq!([fresh, late, superseded, passes, waiting, calls, deletes], [0; 7], "work is left");
    }
}

/// An object as a requester would create it.
pub(crate) fn object(name: &str, created: OffsetDateTime) -> Object {
    Object {
        name: name.into(),
        uid: String::new(),
        resource_version: 0,
        created: created.replace_nanosecond(0).unwrap(),
        signer_name: CLIENT,
        username: USERS[0].into(),
        content: Content::Node,
        common_name: None,
        conditions: Vec::new(),
        certified: false,
    }
}

fn settings(seed: u64) -> Settings {
    let cleaning = Cleaning { max_in_flight: 2, ..Cleaning::default() };
    let max_in_flight = [1, 2, 64][usize::try_from(seed % 3).unwrap()];
    let max_local = [1, 16][usize::try_from(seed % 2).unwrap()];
    let object_budget_bytes = if seed.is_multiple_of(5) { 0 } else { 8 << 20 };
    let max_identities = if seed.is_multiple_of(7) { 1 } else { 4096 };
    Settings {
        max_in_flight,
        max_local,
        object_budget_bytes,
        max_identities,
        cleaning,
        ..Settings::default()
    }
}

/// One in ten stories lasts as long as kube-controller-manager keeps objects.
fn retention(seed: u64) -> Retentions {
    if seed.is_multiple_of(10) {
        return Retentions::default();
    }
    let (minutes, hours) = (Duration::from_secs(900), Duration::from_secs(7200));
    let short = Retention {
        issued: minutes,
        denied: minutes,
        failed: minutes,
        pending: hours,
        approved: hours,
        ..Retention::default()
    };
    let shorter = Retention { pending: hours / 2, issued: minutes / 3, ..short };
    Retentions { general: short, of_signers: [(SERVING.into(), shorter)].into() }
}
