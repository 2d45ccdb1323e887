//! The Lease as an object that is read, changed in a few fields and written back whole, and what a candidate concludes from it.

use std::time::Duration;

use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use k8s_openapi::jiff::Timestamp;
use kube::api::{ApiResource, DynamicObject};
use serde_json::{Map, Value, json};

use super::config::{Identity, LeaseConfig};

use tokio::time::Instant;

/// A Lease, with every field of its spec that we do not know: a typed object would drop them in a PUT.
#[derive(Clone, Debug)]
pub(super) struct Record(DynamicObject);

impl Record {
    pub(super) fn resource() -> ApiResource {
        ApiResource::erase::<Lease>(&())
    }

    /// A Lease that does not exist yet, held by us.
    pub(super) fn new(config: &LeaseConfig) -> Self {
        let object = DynamicObject::new(&config.name, &Self::resource()).within(&config.namespace);
        let now = now();
        Self(object.data(json!({"spec": {
            "holderIdentity": config.identity.as_str(),
            "leaseDurationSeconds": config.timing.lease_seconds(),
            "acquireTime": now,
            "renewTime": now,
            "leaseTransitions": 0,
        }})))
    }

    /// The same Lease with us as the holder. Every acquisition counts as a transition, so that (transitions, acquireTime)
    /// tells two terms of one holder apart too.
    pub(super) fn taken_by(&self, config: &LeaseConfig) -> Self {
        let now = now();
        let transitions = self.spec("leaseTransitions").and_then(Value::as_i64).unwrap_or_default();
        let transitions = i32::try_from(transitions).unwrap_or_default().saturating_add(1);
        self.with(&[
            ("holderIdentity", json!(config.identity.as_str())),
            ("leaseDurationSeconds", json!(config.timing.lease_seconds())),
            ("acquireTime", now.clone()),
            ("renewTime", now),
            ("leaseTransitions", json!(transitions)),
        ])
    }

    /// The same Lease, renewed now.
    pub(super) fn renewed(&self) -> Self {
        self.with(&[("renewTime", now())])
    }

    /// The same Lease, held by nobody.
    pub(super) fn released(&self) -> Self {
        self.with(&[("holderIdentity", json!("")), ("leaseDurationSeconds", json!(1)), ("renewTime", now())])
    }

    /// The same Lease, renewed now, to be created again after somebody deleted it.
    pub(super) fn recreated(&self) -> Self {
        let mut record = self.renewed();
        record.0.metadata.resource_version = None;
        record.0.metadata.uid = None;
        record
    }

    pub(super) fn object(&self) -> &DynamicObject {
        &self.0
    }

    pub(super) fn resource_version(&self) -> &str {
        self.0.metadata.resource_version.as_deref().unwrap_or_default()
    }

    /// Who holds it; empty when nobody does, as in a Lease that was created without a spec.
    pub(super) fn holder(&self) -> &str {
        self.spec("holderIdentity").and_then(Value::as_str).unwrap_or_default()
    }

    pub(super) fn is_held_by(&self, identity: &Identity) -> bool {
        self.holder() == identity.as_str()
    }

    fn duration_seconds(&self) -> Option<u32> {
        let seconds = self.spec("leaseDurationSeconds")?.as_u64()?;
        u32::try_from(seconds).ok()
    }

    fn spec(&self, field: &str) -> Option<&Value> {
        self.0.data.get("spec")?.get(field)
    }

    fn with(&self, fields: &[(&str, Value)]) -> Self {
        let mut record = self.clone();
        record.0.metadata.managed_fields = None;
        if !record.0.data.is_object() {
            record.0.data = Value::Object(Map::new());
        }
        let spec = &mut record.0.data["spec"];
        if !spec.is_object() {
            *spec = Value::Object(Map::new());
        }
        for (field, value) in fields {
            spec[*field] = value.clone();
        }
        record
    }
}

impl From<DynamicObject> for Record {
    fn from(object: DynamicObject) -> Self {
        Self(object)
    }
}

/// A version of the Lease, and since when we have seen no newer one.
#[derive(Debug)]
pub(super) struct Observation {
    pub(super) record: Record,
    since: Instant,
}

impl Observation {
    /// What is known after `record` was received at `now`: the same version as before keeps its time.
    pub(super) fn seen(last: Option<Self>, record: Record, now: Instant) -> Self {
        match last {
            Some(last) if last.record.resource_version() == record.resource_version() => {
                Self { record, since: last.since }
            }
            _ => Self { record, since: now },
        }
    }

    pub(super) fn free_for(&self, config: &LeaseConfig, now: Instant) -> bool {
        now >= self.free_at(config)
    }

    /// When it may be taken, if it does not change: at once when nobody holds it, or we do (a write of ours whose answer was
    /// lost); else when its duration has passed since we saw it change.
    pub(super) fn free_at(&self, config: &LeaseConfig) -> Instant {
        if self.record.holder().is_empty() || self.record.is_held_by(&config.identity) {
            return self.since;
        }
        let ours = u32::try_from(config.timing.lease_seconds()).unwrap_or_default();
        let seconds = self.record.duration_seconds().unwrap_or(ours);
        self.since + Duration::from_secs(seconds.into())
    }
}

/// Now, as the API writes it. Informative: nobody compares it with another clock.
fn now() -> Value {
    serde_json::to_value(MicroTime(Timestamp::now())).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kube::lease::Timing;

    fn config() -> LeaseConfig {
        LeaseConfig::new("kube-system", "countersign", Timing::default()).unwrap()
    }

    fn record(spec: Value) -> Record {
        let object = DynamicObject::new("countersign", &Record::resource());
        Record(object.data(json!({ "spec": spec })))
    }

    #[test]
    fn a_lease_without_a_spec_can_be_taken_and_written() {
        let object = DynamicObject::new("countersign", &Record::resource());
        for data in [Value::Null, json!({}), json!({"spec": null}), json!({"spec": {}})] {
            let taken = Record(object.clone().data(data)).taken_by(&config());
            assert_eq!(taken.spec("leaseTransitions"), Some(&json!(1)));
            assert_eq!(taken.spec("leaseDurationSeconds"), Some(&json!(15)));
        }
    }

    #[test]
    fn fields_of_the_spec_that_are_not_ours_are_kept() {
        let config = config();
        let before =
            record(json!({"strategy": "OldestEmulationVersion", "ofTheFuture": [1], "leaseTransitions": 7}));
        for after in [before.taken_by(&config), before.renewed(), before.released(), before.recreated()] {
            assert_eq!(after.spec("strategy"), Some(&json!("OldestEmulationVersion")));
            assert_eq!(after.spec("ofTheFuture"), Some(&json!([1])));
        }
        assert_eq!(before.taken_by(&config).spec("leaseTransitions"), Some(&json!(8)));
        assert_eq!(before.released().spec("leaseTransitions"), Some(&json!(7)));
    }

    #[test]
    fn a_released_lease_names_nobody_and_lasts_a_second() {
        let released = record(json!({"holderIdentity": "other", "leaseDurationSeconds": 15})).released();
        assert_eq!(released.holder(), "");
        assert_eq!(released.duration_seconds(), Some(1));
    }

    #[test]
    fn a_lease_is_free_when_its_own_duration_has_passed_since_its_version_was_first_seen() {
        let (config, start) = (config(), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        let held = record(json!({"holderIdentity": "other", "leaseDurationSeconds": 30}));
        let first = Observation::seen(None, held.clone(), start);
        assert!(!first.free_for(&config, at(29)));
        let again = Observation::seen(Some(first), held.clone(), at(20));
        assert!(again.free_for(&config, at(30)), "the same version does not start the time again");
        let mut changed = held;
        changed.0.metadata.resource_version = Some("2".to_owned());
        let renewed = Observation::seen(Some(again), changed, at(29));
        assert!(!renewed.free_for(&config, at(58)));
        assert!(renewed.free_for(&config, at(59)));
    }

    #[test]
    fn a_lease_that_nobody_holds_or_that_is_ours_is_free_at_once() {
        let (config, now) = (config(), Instant::now());
        let ours = json!({"holderIdentity": config.identity.as_str(), "leaseDurationSeconds": 15});
        for spec in [Value::Null, json!({"holderIdentity": "", "leaseDurationSeconds": 3600}), ours] {
            assert!(Observation::seen(None, record(spec), now).free_for(&config, now));
        }
    }
}
