//! The form of the section `guards`.

use approver::SubjectPattern;
use schemars::JsonSchema;
use serde::Serialize;

/// Guards on client certificates; without them, everything is as upstream has it.
#[derive(Clone, Debug, Default, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Guards {
    /// Users and groups that nobody becomes by a certificate of kubernetes.io/kube-apiserver-client or kubernetes.io/legacy-unknown.
    #[serde(default)]
    pub reserved_subjects: Option<ReservedSubjects>,

    /// Kubelets' client certificates for nodes that are alive, asked for by somebody else.
    #[serde(default)]
    pub node_takeover: Option<NodeTakeover>,
}

/// Kubelets' client certificates for nodes that are alive, asked for by somebody else. They are held.
#[derive(Clone, Copy, Debug, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct NodeTakeover {
    /// Whether the guard is on.
    pub enabled: bool,
}

/// Users and groups that nobody becomes by a client certificate. A request for one fails once it is approved.
#[derive(Clone, Debug, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ReservedSubjects {
    /// Whether the guard is on.
    pub enabled: bool,

    /// Patterns of users, which are common names: * stands for anything.
    #[serde(default = "default_patterns")]
    pub users: Vec<String>,

    /// Patterns of groups, which are organizations: * stands for anything.
    #[serde(default = "default_patterns")]
    pub groups: Vec<String>,

    /// Names that are not reserved, whatever the patterns say.
    #[serde(default)]
    pub except: Exceptions,
}

/// Names that are not reserved, whatever the patterns say.
#[derive(Clone, Debug, Default, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Exceptions {
    /// Users.
    #[serde(default)]
    pub users: Vec<String>,

    /// Groups.
    #[serde(default)]
    pub groups: Vec<String>,
}

impl From<&crate::Guards> for Guards {
    fn from(guards: &crate::Guards) -> Self {
        Self {
            reserved_subjects: guards.reserved_subjects.as_ref().map(ReservedSubjects::from),
            node_takeover: Some(NodeTakeover { enabled: guards.node_takeover }),
        }
    }
}

impl From<&approver::ReservedSubjects> for ReservedSubjects {
    fn from(reserved: &approver::ReservedSubjects) -> Self {
        let approver::ReservedSubjects { users, groups } = reserved;
        Self {
            enabled: true,
            users: texts(&users.patterns),
            groups: texts(&groups.patterns),
            except: Exceptions {
                users: users.except.iter().cloned().collect(),
                groups: groups.except.iter().cloned().collect(),
            },
        }
    }
}

fn texts(patterns: &[SubjectPattern]) -> Vec<String> {
    patterns.iter().map(SubjectPattern::to_string).collect()
}

fn default_patterns() -> Vec<String> {
    texts(&approver::ReservedNames::default().patterns)
}
