//! Who may log on: three users of the server, one for each role, and two tenants of the provider.
//!
//! What each of them gets to see, and may do. Beyond what the vendor says (jobs are for
//! administrators, a Restore Operator only restores files), the limits of roles are assumed.

use super::estate::{Entity, Estate, Owner};
use super::kinds::Kind;
use super::settings::Installation;

/// What a user of Enterprise Manager may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Everything.
    PortalAdministrator,
    /// Restore and back up the machines of the own scope; not see jobs, not make the server work.
    PortalUser,
    /// Restore files of the machines of the own scope, and nothing else.
    RestoreOperator,
}

/// A user of the server.
#[derive(Debug)]
pub struct Account {
    /// The role, each of which one account has.
    pub role: Role,
    /// The password, the same everywhere.
    pub password: &'static str,
    /// `DOMAIN\user`, and for servers on Linux `user@domain`.
    names: [&'static str; 2],
    /// The restore scope: whose points this user sees. Nothing if those of all machines.
    scope: Option<&'static [&'static str]>,
}

/// A customer who logs on with credentials of the provider's making, inside the logon of a user.
#[derive(Debug, Clone)]
pub struct Tenant {
    /// The organization of VMware Cloud Director; nothing for a standalone tenant.
    pub organization: Option<&'static str>,
    /// The user name, or the login in the organization.
    pub username: &'static str,
    /// The password.
    pub password: &'static str,
    owner: Owner,
}

static ACCOUNTS: [Account; 3] = [
    Account {
        role: Role::PortalAdministrator,
        // With a colon, as only the first one in Basic credentials divides.
        password: "Pa:ss w0rd",
        names: [r"SRV12\Administrator", "administrator@srv12.local"],
        scope: None,
    },
    Account {
        role: Role::PortalUser,
        password: "helpMe:22",
        names: [r"SRV12\Helpdesk", "helpdesk@srv12.local"],
        scope: Some(&["audi99", "srv39"]),
    },
    Account {
        role: Role::RestoreOperator,
        password: "fil3sOnly",
        names: [r"SRV12\Operator", "operator@srv12.local"],
        scope: Some(&["audi99"]),
    },
];

static TENANTS: [Tenant; 2] = [
    Tenant {
        organization: None,
        username: "UCM Company",
        password: "T3n&nt <1>",
        owner: Owner::Standalone,
    },
    Tenant {
        organization: Some("ABC-Org"),
        username: "abc-admin",
        password: "Or6:pass",
        owner: Owner::Organization,
    },
];

/// The account with a role.
pub(super) fn with_role(role: Role) -> &'static Account {
    let [administrator, user, operator] = &ACCOUNTS;
    match role {
        Role::PortalAdministrator => administrator,
        Role::PortalUser => user,
        Role::RestoreOperator => operator,
    }
}

/// The tenants: a standalone one, and an organization.
pub(super) fn tenants() -> &'static [Tenant; 2] {
    &TENANTS
}

/// The account of a user who gives this name and this password. On Windows the domain may be left out.
pub(super) fn known(
    name: &str,
    password: &str,
    installation: Installation,
) -> Option<&'static Account> {
    ACCOUNTS.iter().filter(|account| account.password == password).find(|account| {
        let full = account.username(installation);
        let short = full.split_once('\\').map(|(_, user)| user);
        [Some(full), short].into_iter().flatten().any(|known| known.eq_ignore_ascii_case(name))
    })
}

impl Account {
    /// The name in the form that servers of this installation want.
    pub fn username(&self, installation: Installation) -> &'static str {
        let [windows, linux] = self.names;
        match installation {
            Installation::Linux => linux,
            Installation::CloudConnect | Installation::Windows => windows,
        }
    }
}

/// Whom a session is for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Who {
    Account(&'static Account),
    Tenant(&'static Tenant),
}

/// What may be done beside reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Deed {
    RestoreFiles,
    RestoreMachine,
    BackUp,
    /// Anything that touches servers, jobs or replicas.
    Administer,
}

impl Who {
    pub(super) fn is_administrator(self) -> bool {
        matches!(self, Who::Account(Account { role: Role::PortalAdministrator, .. }))
    }

    /// Whether there is anything of a kind to be seen at all; it is 403 otherwise.
    pub(super) fn may_read(self, kind: Kind) -> bool {
        match self {
            Who::Tenant(_) => {
                matches!(kind, Kind::CloudReplica | Kind::CloudVmReplicaPoint)
            }
            Who::Account(_) => self.is_administrator() || kind != Kind::Job,
        }
    }

    pub(super) fn may_do(self, deed: Deed) -> bool {
        let Who::Account(account) = self else { return false };
        match account.role {
            Role::PortalAdministrator => true,
            Role::PortalUser => deed != Deed::Administer,
            Role::RestoreOperator => deed == Deed::RestoreFiles,
        }
    }

    /// Whether an entity is within the restore scope, or the tenant's own.
    pub(super) fn sees(self, entity: &Entity, estate: &Estate) -> bool {
        match self {
            Who::Tenant(tenant) => {
                let parents = estate.parents(entity);
                std::iter::once(entity).chain(parents).any(|one| one.owner == Some(tenant.owner))
            }
            Who::Account(Account { scope: Some(machines), .. }) => {
                entity.vm.as_deref().is_none_or(|vm| machines.contains(&vm))
            }
            Who::Account(_) => true,
        }
    }
}
