//! The initial inventory: the six cloud points of the vendor's documentation, and the requested number of
//! generated ones.
//!
//! Generated points depend on the seed only, not on the clock, so that two runs have the same ids and times.

use jiff::SignedDuration;
use jiff::civil::{DateTime, date};
use uuid::{Uuid, uuid};

use super::inventory::{Entity, Field, Inventory, NewCloudPoint, Owner, utc};
use super::kind::Kind;
use super::{backups, infrastructure};
use crate::veeam_em::settings::{Product, Settings};

const SERVER: Uuid = uuid!("8fff3b8e-c3f1-4ef5-aecc-561f07bf9982");
const CRM: Uuid = uuid!("6b2b42d5-3850-421c-93c1-e063f12a2ead");
const ABC: Uuid = uuid!("8393c284-c953-403f-a9b9-cff63e0c6815");

/// The vendor's points, in the order of its list, which is not that of time.
const POINTS: [(Uuid, &str, Uuid, DateTime); 6] = [
    (
        uuid!("93081441-6e3c-4584-b47a-08dc1ce24f84"),
        "srv39",
        CRM,
        date(2015, 12, 25).at(20, 0, 47, 0),
    ),
    (
        uuid!("783781f0-4d83-4d09-ae82-12b5bed4710b"),
        "srv40",
        ABC,
        date(2015, 12, 27).at(21, 8, 13, 0),
    ),
    (
        uuid!("292e6d96-6b99-4776-bba2-2c030cd5824a"),
        "srv38",
        ABC,
        date(2015, 12, 21).at(21, 1, 41, 0),
    ),
    (
        uuid!("5ed13778-0191-4d9d-8105-33017348235d"),
        "srv40",
        ABC,
        date(2015, 12, 22).at(21, 5, 43, 0),
    ),
    (
        uuid!("574c07de-50eb-4117-88ec-5cd3403142dd"),
        "srv38",
        ABC,
        date(2015, 12, 24).at(21, 3, 50, 0),
    ),
    (
        uuid!("572167d1-c2f1-40b5-9ce9-6b277e507222"),
        "srv39",
        CRM,
        date(2015, 12, 22).at(11, 25, 26, 0),
    ),
];

/// Generated points are later than the vendor's.
const GENERATED_FROM: DateTime = date(2016, 1, 1).at(0, 0, 0, 0);
const POINTS_PER_REPLICA: usize = 50;
const POINTS_PER_VM: usize = 7;

const CUSTOMERS: [&str; 4] = ["Smith & Sons", "Łódź Logistics", "R&D <Lab>", "Acme"];
const MACHINES: [&str; 5] = ["app", "mail & web", "zürich-db", "サーバー", "the \"old\" one"];

pub(crate) fn inventory(settings: &Settings) -> Inventory {
    let mut inventory = Inventory::default();
    let (port, version) = match settings.product {
        Product::V12 => (9392, "12.3.2.3617"),
        Product::V13 => (443, "13.0.1.1071"),
    };
    let fields = vec![
        ("Description", Field::text("Created by SRV12\\Administrator")),
        ("Port", Field::number(port)),
        ("Version", Field::text(version)),
        ("WcfPort", Field::number(9401)),
        ("VbrCertificateThumbprint", Field::text("3A5C0E7B1F2D4E6A8B9C0D1E2F3A4B5C6D7E8F90")),
    ];
    let server = Entity::new(Kind::BackupServer, SERVER, "172.17.53.48", Vec::new(), fields);
    inventory.add(server);
    inventory.add(replica(CRM, "UCM Company CRM Replication", Owner::Standalone));
    inventory.add(replica(ABC, "ABC Company Servers Replication", Owner::Organization));
    for (id, vm, replica, created) in POINTS {
        let created = utc(created);
        let point =
            NewCloudPoint { id, vm, created, replica, point_type: "Snapshot", state: "Ready" };
        inventory.add_point(&point, settings);
    }
    backups::add(&mut inventory, SERVER, settings);
    infrastructure::add(&mut inventory, SERVER, settings);
    generate(&mut inventory, settings);
    inventory
}

fn replica(id: Uuid, name: &str, owner: Owner) -> Entity {
    let fields = vec![("Platform", Field::text("VMware"))];
    Entity::new(Kind::CloudReplica, id, name, vec![SERVER], fields).owned_by(owner)
}

fn generate(inventory: &mut Inventory, settings: &Settings) {
    let id = |what: &str, number: usize| {
        Uuid::new_v5(&SERVER, format!("{} {what} {number}", settings.seed).as_bytes())
    };
    let jobs = settings.points.div_ceil(POINTS_PER_REPLICA);
    for (job, customer) in (0..jobs).zip(CUSTOMERS.iter().cycle()) {
        let owner = if job % 2 == 0 { Owner::Standalone } else { Owner::Organization };
        inventory.add(replica(id("replica", job), &format!("{customer} Replication {job}"), owner));
    }
    for number in 0..settings.points {
        let machine = number / POINTS_PER_VM;
        let id_of_point = id("point", number);
        // The time is derived from the id: in no order, on average one every half hour, and to the
        // microsecond.
        let (hash, _) = id_of_point.as_u64_pair();
        let span = u64::try_from(settings.points).unwrap_or(u64::MAX).saturating_mul(1_800_000_000);
        let after = i64::try_from(hash % span.max(1)).unwrap_or(0);
        let point = NewCloudPoint {
            id: id_of_point,
            vm: &format!("{}-{machine}", MACHINES[machine % MACHINES.len()]),
            created: utc(GENERATED_FROM) + SignedDuration::from_micros(after),
            replica: id("replica", number / POINTS_PER_REPLICA),
            point_type: point_type(number),
            state: state(number),
        };
        inventory.add_point(&point, settings);
    }
}

/// One in five is not `Ready`, and every other state occurs.
fn state(number: usize) -> &'static str {
    match number % 20 {
        3 => "Failover",
        8 => "Failback",
        13 => "PermanentFailover",
        18 => "Unknown",
        _ => "Ready",
    }
}

fn point_type(number: usize) -> &'static str {
    match number % 20 {
        1 => "CDP",
        6 => "Full",
        11 => "ReverseIncrement",
        16 => "Increment",
        _ => "Snapshot",
    }
}
