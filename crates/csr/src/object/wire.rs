//! The object as it comes, read in one pass: what we look at is taken out, the rest stays a part of the text received.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::{DecodeError, Spec};
use crate::{ConditionType, IssuedCertificate, Progress, Requester, SignerName, Since};

/// The parts of an object.
#[derive(Debug, Default)]
pub(super) struct Object<'a> {
    pub(super) metadata: Option<Fields<'a>>,
    pub(super) spec: Option<&'a RawValue>,
    pub(super) status: Fields<'a>,
    /// All other fields but apiVersion and kind, which items of a list do not have.
    pub(super) others: Fields<'a>,
}

/// The fields of a JSON object in the order received; of several of one name the last counts.
#[derive(Debug, Default)]
pub(super) struct Fields<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'a> Fields<'a> {
    /// The value of a field, or its default when it is absent or null.
    pub(super) fn read<T: Deserialize<'a> + Default>(&self, name: &str) -> Result<T, serde_json::Error> {
        let value: Option<T> = self.raw(name).map_or(Ok(None), |raw| serde_json::from_str(raw.get()))?;
        Ok(value.unwrap_or_default())
    }

    pub(super) fn raw(&self, name: &str) -> Option<&'a RawValue> {
        self.0.iter().rev().find_map(|(found, raw)| (*found == name).then_some(*raw))
    }

    /// All but those of these names.
    pub(super) fn without(&self, names: &[&str]) -> impl Iterator<Item = (&str, &'a RawValue)> {
        self.0.iter().map(|(name, raw)| (&**name, *raw)).filter(|(name, _)| !names.contains(name))
    }
}

impl<'de> Deserialize<'de> for Object<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor)
    }
}

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FieldsVisitor)
    }
}

/// Borrowed where there is nothing to unescape.
#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

struct ObjectVisitor;

impl<'de> Visitor<'de> for ObjectVisitor {
    type Value = Object<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of the API")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object<'de>, A::Error> {
        let mut object = Object::default();
        while let Some(Name(name)) = map.next_key()? {
            match &*name {
                "metadata" => object.metadata = map.next_value()?,
                "spec" => object.spec = Some(map.next_value()?),
                "status" => object.status = map.next_value::<Option<_>>()?.unwrap_or_default(),
                "apiVersion" | "kind" => drop(map.next_value::<IgnoredAny>()?),
                _ => object.others.0.push((name, map.next_value()?)),
            }
        }
        Ok(object)
    }
}

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Fields<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields<'de>, A::Error> {
        let mut fields = Vec::with_capacity(8);
        while let Some((Name(name), value)) = map.next_entry()? {
            fields.push((name, value));
        }
        Ok(Fields(fields))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireSpec<'a> {
    #[serde(borrow, default)]
    request: Cow<'a, str>,
    #[serde(borrow, default)]
    signer_name: Cow<'a, str>,
    #[serde(default)]
    usages: Option<Vec<String>>,
    expiration_seconds: Option<i32>,
    #[serde(default)]
    username: String,
    #[serde(default)]
    uid: String,
    #[serde(default)]
    groups: Option<Vec<String>>,
    #[serde(default)]
    extra: Option<BTreeMap<String, Vec<String>>>,
}

pub(super) fn spec(raw: &RawValue) -> Result<Spec, DecodeError> {
    let wire: WireSpec<'_> = serde_json::from_str(raw.get())?;
    let request = BASE64_STANDARD.decode(&*wire.request).map_err(serde::de::Error::custom);
    Ok(Spec {
        request: request.map_err(DecodeError::Json)?,
        signer_name: SignerName::from(&*wire.signer_name),
        usages: wire.usages.iter().flatten().map(String::as_str).collect(),
        expiration_seconds: wire.expiration_seconds,
        requester: Arc::new(Requester {
            username: wire.username,
            uid: wire.uid,
            groups: wire.groups.unwrap_or_default(),
            extra: wire.extra.unwrap_or_default(),
        }),
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireCondition<'a> {
    #[serde(borrow, default)]
    r#type: Cow<'a, str>,
    #[serde(borrow, default)]
    status: Cow<'a, str>,
    last_update_time: Option<String>,
}

pub(super) fn progress(metadata: &Fields<'_>, status: &Fields<'_>) -> Result<Progress, DecodeError> {
    let mut progress = Progress {
        created: timestamp(&metadata.read::<String>("creationTimestamp")?),
        certificate: IssuedCertificate::from_base64(&status.read::<String>("certificate")?),
        ..Progress::default()
    };
    for condition in status.read::<Vec<WireCondition<'_>>>("conditions")? {
        let since = Since(condition.last_update_time.as_deref().and_then(timestamp));
        let place = match ConditionType::from_name(&condition.r#type) {
            Some(ConditionType::Approved) => &mut progress.approved,
            Some(ConditionType::Denied) => &mut progress.denied,
            Some(ConditionType::Failed) => {
                progress.failed_effective |= matches!(&*condition.status, "" | "True");
                &mut progress.failed
            }
            None => {
                progress.other_conditions = true;
                continue;
            }
        };
        *place = Some(place.map_or(since, |other| other.earlier(since)));
    }
    Ok(progress)
}

fn timestamp(text: &str) -> Option<OffsetDateTime> {
    OffsetDateTime::parse(text, &Rfc3339).ok()
}
