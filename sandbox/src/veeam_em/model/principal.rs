//! Who may log on: three users of the server, one for each role, and two tenants of the provider; and what
//! each of them may see and do.
//!
//! The vendor documents that jobs are for administrators, and that a Restore Operator only restores files. The
//! other limits of the roles are assumed.

use super::inventory::{Entity, Inventory, Owner};
use super::kind::Kind;
use crate::veeam_em::settings::Installation;

/// The role of a user of Enterprise Manager.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Everything.
    PortalAdministrator,
    /// Restores and backs up the machines of its scope. No jobs, and no administration of servers.
    PortalUser,
    /// Restores files of the machines of its scope, and nothing else.
    RestoreOperator,
}

/// A user of the server.
#[derive(Debug)]
pub struct Account {
    /// The role. There is one account for each.
    pub role: Role,
    /// The password, the same in all installations.
    pub password: &'static str,
    /// `DOMAIN\user`, and `user@domain` for servers on Linux.
    names: [&'static str; 2],
    /// The restore scope: the machines whose points this user sees; `None` for all machines.
    scope: Option<&'static [&'static str]>,
}

/// A customer of the provider, with credentials in the body of a user's logon.
#[derive(Debug, Clone)]
pub struct Tenant {
    /// The organization of VMware Cloud Director; `None` for a standalone tenant.
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
        // With a colon, because only the first one in Basic credentials is the separator.
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
pub(crate) fn with_role(role: Role) -> &'static Account {
    let [administrator, user, operator] = &ACCOUNTS;
    match role {
        Role::PortalAdministrator => administrator,
        Role::PortalUser => user,
        Role::RestoreOperator => operator,
    }
}

/// The tenants: a standalone one, and an organization.
pub(crate) fn tenants() -> &'static [Tenant; 2] {
    &TENANTS
}

/// The account with this name and password. On Windows the domain is optional.
pub(crate) fn find_account(
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
    /// The name in the form of this installation.
    pub fn username(&self, installation: Installation) -> &'static str {
        let [windows, linux] = self.names;
        match installation {
            Installation::Linux => linux,
            Installation::CloudConnect | Installation::Windows => windows,
        }
    }
}

/// The identity of a logon session.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Principal {
    Account(&'static Account),
    Tenant(&'static Tenant),
}

/// What an action needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Permission {
    RestoreFiles,
    RestoreMachine,
    BackUp,
    /// For actions on servers, jobs or replicas.
    Administer,
}

impl Principal {
    pub(crate) fn is_administrator(self) -> bool {
        matches!(self, Principal::Account(Account { role: Role::PortalAdministrator, .. }))
    }

    /// Whether it may read a kind at all; the reply is 403 otherwise.
    pub(crate) fn may_read(self, kind: Kind) -> bool {
        match self {
            Principal::Tenant(_) => {
                matches!(kind, Kind::CloudReplica | Kind::CloudVmReplicaPoint)
            }
            Principal::Account(_) => self.is_administrator() || kind != Kind::Job,
        }
    }

    pub(crate) fn has(self, permission: Permission) -> bool {
        let Principal::Account(account) = self else { return false };
        match account.role {
            Role::PortalAdministrator => true,
            Role::PortalUser => permission != Permission::Administer,
            Role::RestoreOperator => permission == Permission::RestoreFiles,
        }
    }

    /// Whether an entity is in the restore scope, or owned by the tenant.
    pub(crate) fn can_see(self, entity: &Entity, inventory: &Inventory) -> bool {
        match self {
            Principal::Tenant(tenant) => {
                let parents = inventory.parents(entity);
                std::iter::once(entity).chain(parents).any(|one| one.owner == Some(tenant.owner))
            }
            Principal::Account(Account { scope: Some(machines), .. }) => {
                entity.vm.as_deref().is_none_or(|vm| machines.contains(&vm))
            }
            Principal::Account(_) => true,
        }
    }
}
