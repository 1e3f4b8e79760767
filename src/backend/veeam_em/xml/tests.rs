#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use proptest::prelude::*;

use super::token::Token;
use super::*;
use crate::backend::veeam_em::resource::{
    BACKUP, CLOUD_REPLICA, CLOUD_VM_REPLICA_POINT, LinkTarget, VM_RESTORE_POINT,
};

/// The sample of an entity in the vendor's documentation.
const ENTITY: &str = r#"<CloudVmReplicaPoint xmlns="http://www.veeam.com/ent/v1.0" Type="CloudVmReplicaPoint" Href="https://localhost:9398/api/cloud/vmReplicaPoints/93081441-6e3c-4584-b47a-08dc1ce24f84?format=Entity" Name="srv39@2015-12-25 20:00:47" UID="urn:veeam:CloudVmReplicaPoint:93081441-6e3c-4584-b47a-08dc1ce24f84" VmDisplayName="srv39">   <Links>     <Link Rel="Up" Type="BackupServerReference" Href="https://localhost:9398/api/backupServers/8fff3b8e-c3f1-4ef5-aecc-561f07bf9982" Name="172.17.53.48" />     <Link Rel="Up" Type="CloudReplicaReference" Href="https://localhost:9398/api/cloud/replicas/6b2b42d5-3850-421c-93c1-e063f12a2ead" Name="UCM Company CRM Replication" />     <Link Rel="Alternate" Type="CloudVmReplicaPointReference" Href="https://localhost:9398/api/cloud/vmReplicaPoints/93081441-6e3c-4584-b47a-08dc1ce24f84" Name="srv39@2015-12-25 20:00:47" />   </Links>   <CreationTimeUTC>2015-12-25T20:00:47Z</CreationTimeUTC>   <PointType>Snapshot</PointType>   <State>Ready</State> </CloudVmReplicaPoint>"#;

/// The GUIDs of the six restore points in the documentation's sample of a list.
const SIX: [&str; 6] = [
    "93081441-6e3c-4584-b47a-08dc1ce24f84",
    "783781f0-4d83-4d09-ae82-12b5bed4710b",
    "292e6d96-6b99-4776-bba2-2c030cd5824a",
    "5ed13778-0191-4d9d-8105-33017348235d",
    "574c07de-50eb-4117-88ec-5cd3403142dd",
    "572167d1-c2f1-40b5-9ce9-6b277e507222",
];

/// The sample of a list of references in the vendor's documentation, including the dots at its end.
fn six_references() -> String {
    let refs: String = SIX
        .iter()
        .map(|id| {
            format!(
                r#"
 <Ref Type="CloudVmReplicaPointReference" Href="http://localhost:9399/api/cloud/vmReplicaPoints/{id}" Name="srv39@2015-12-25 20:00:47" UID="urn:veeam:CloudVmReplicaPoint:{id}">
   <Links>
     <Link Rel="Up" Type="BackupServerReference" Href="http://localhost:9399/api/backupServers/8fff3b8e-c3f1-4ef5-aecc-561f07bf9982" Name="172.17.53.48" />
     <Link Rel="Up" Type="CloudReplicaReference" Href="http://localhost:9399/api/cloud/replicas/6b2b42d5-3850-421c-93c1-e063f12a2ead" Name="UCM Company CRM Replication" />
     <Link Rel="Alternate" Type="CloudVmReplicaPoint" Href="http://localhost:9399/api/cloud/vmReplicaPoints/{id}?format=Entity" Name="srv39@2015-12-25 20:00:47" />
   </Links>
 </Ref>"#
            )
        })
        .collect();
    format!(
        "<EntityReferences xmlns=\"http://www.veeam.com/ent/v1.0\">{refs}\n ...\n</EntityReferences>"
    )
}

/// A page of two restore points whose elements are named `CloudReplica`.
fn query_page() -> String {
    let item = |id: &str| {
        ENTITY
            .replace("<CloudVmReplicaPoint ", "<CloudReplica ")
            .replace("</CloudVmReplicaPoint>", "</CloudReplica>")
            .replace(SIX[0], id)
    };
    format!(
        "\u{FEFF}<?xml version=\"1.0\" encoding=\"utf-8\"?><QueryResult \
         xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" \
         xmlns=\"http://www.veeam.com/ent/v1.0\"><Entities><CloudVmReplicaPoints>{}{}\
         </CloudVmReplicaPoints></Entities><PagingInfo PageNum=\"1\" PageSize=\"5\" \
         PagesCount=\"2\"><Links><Link Rel=\"First\" Href=\"https://em/api/query?type=x&amp;page=1\"/>\
         </Links></PagingInfo></QueryResult>",
        item(SIX[0]),
        item(SIX[1])
    )
}

fn read<S: Sink>(text: impl AsRef<[u8]>, mut sink: S) -> Result<S, Problem> {
    let mut scanner = Scanner::default();
    scanner.push(text.as_ref(), &mut sink)?;
    scanner.finish().map(|()| sink)
}

fn entity(text: &str) -> Result<Entity, Problem> {
    read(text, SingleEntity::new(&CLOUD_VM_REPLICA_POINT, Keep::Raw))?.finish()
}

fn page(text: impl AsRef<[u8]>) -> Result<(Vec<Entity>, Option<Paging>), Problem> {
    read(text, QueryResult::new(&CLOUD_VM_REPLICA_POINT, Keep::Fields, 5)).map(QueryResult::finish)
}

fn ids(text: &str) -> Result<Vec<String>, Problem> {
    let references =
        read(text, EntityReferences::new(&CLOUD_VM_REPLICA_POINT, None, 100))?.finish();
    Ok(references.iter().map(ToString::to_string).collect())
}

#[test]
fn the_documented_entity_is_read() {
    let entity = entity(ENTITY).unwrap();
    assert_eq!(entity.uid, format!("urn:veeam:CloudVmReplicaPoint:{}", SIX[0]));
    assert_eq!(entity.id.to_string(), SIX[0]);
    assert_eq!(entity.name, "srv39@2015-12-25 20:00:47");
    assert_eq!(entity.vm_display_name.as_deref(), Some("srv39"));
    assert_eq!(entity.created.unwrap().to_string(), "2015-12-25T20:00:47Z");
    assert_eq!(entity.point_type.as_deref(), Some("Snapshot"));
    assert_eq!(entity.state.as_deref(), Some("Ready"));
    assert_eq!(entity.link(LinkTarget::BackupServer).unwrap().name, "172.17.53.48");
    let replica = entity.link(LinkTarget::CloudReplica).unwrap();
    assert_eq!(replica.rel, "Up");
    assert_eq!(replica.id.to_string(), "6b2b42d5-3850-421c-93c1-e063f12a2ead");
    assert_eq!(replica.name, "UCM Company CRM Replication");
    assert_eq!(entity.raw.unwrap(), ENTITY);
}

#[test]
fn the_raw_body_is_the_element_without_its_surroundings_and_comments() {
    let around = format!("<?xml version=\"1.0\"?><!-- before -->\n{ENTITY}\n<!-- behind -->");
    assert_eq!(entity(&around).unwrap().raw.unwrap(), ENTITY);
    let commented = ENTITY.replace("<State>", "<!-- token --><?pi x?><State>");
    assert_eq!(entity(&commented).unwrap().raw.unwrap(), ENTITY);
}

#[test]
fn the_documented_list_of_references_is_read() {
    let mut expected = SIX.map(str::to_owned);
    expected.sort();
    assert_eq!(ids(&six_references()).unwrap(), expected);
    let some = |after: Option<&str>| {
        let after = after.and_then(parse_guid);
        let sink = EntityReferences::new(&CLOUD_VM_REPLICA_POINT, after, 2);
        let references = read(six_references(), sink).unwrap().finish();
        references.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(some(None), expected[..2]);
    assert_eq!(some(Some(&expected[1])), expected[2..4]);
    assert_eq!(some(Some(&expected[5])), Vec::<String>::new());
}

#[test]
fn the_items_of_a_page_may_be_named_cloud_replica() {
    let (entities, paging) = page(query_page()).unwrap();
    assert_eq!(entities.len(), 2);
    assert_eq!(entities[1].id.to_string(), SIX[1]);
    assert_eq!(paging, Some(Paging { page: 1, page_size: 5, pages: 2 }));
    // The expected name is accepted too, here with a namespace prefix.
    let other = query_page().replace("CloudReplica ", "v:CloudVmReplicaPoint ");
    let (again, _) = page(other.replace("/CloudReplica>", "/v:CloudVmReplicaPoint>")).unwrap();
    assert_eq!(again, entities);
}

#[test]
fn a_truncated_document_is_an_error() {
    let documents = [ENTITY.to_owned(), six_references(), query_page()];
    for document in &documents {
        for end in 0..document.len() {
            let cut = &document.as_bytes()[..end];
            assert!(
                read(cut, QueryResult::new(&CLOUD_VM_REPLICA_POINT, Keep::Fields, 5)).is_err(),
                "at {end}"
            );
            assert!(
                read(cut, EntityReferences::new(&CLOUD_VM_REPLICA_POINT, None, 9)).is_err(),
                "at {end}"
            );
            assert!(
                read(cut, SingleEntity::new(&CLOUD_VM_REPLICA_POINT, Keep::Raw)).is_err(),
                "at {end}"
            );
        }
    }
}

#[test]
fn the_size_of_the_pieces_does_not_matter() {
    let document = query_page().replace("srv39@", "Zürich &amp; &#x4e; > &lt;@");
    let document = document.replace(">Ready<", ">Re\u{FEFF}a<![CDATA[<]]>&#100;&amp;ü<");
    let whole = page(&document).unwrap();
    assert_eq!(whole.0[0].name, "Zürich & N > <@2015-12-25 20:00:47");
    assert_eq!(whole.0[0].state.as_deref(), Some("Re\u{FEFF}a<d&ü"));
    for size in [1, 2, 3, 7, 64, 1000] {
        let mut sink = QueryResult::new(&CLOUD_VM_REPLICA_POINT, Keep::Fields, 5);
        let mut scanner = Scanner::default();
        for piece in document.as_bytes().chunks(size) {
            scanner.push(piece, &mut sink).unwrap();
        }
        scanner.finish().unwrap();
        assert_eq!(sink.finish(), whole, "in pieces of {size}");
    }
}

#[test]
fn any_other_document_is_an_error() {
    let valid = &query_page();
    let html = "<!DOCTYPE html><html><body>sign in</body></html>";
    let bomb = format!("<!DOCTYPE x [<!ENTITY a \"b\">]>{ENTITY}");
    for text in ["", " ", "{\"Refs\":null}", "404", html, &bomb, "<QueryResult>", "<QueryResult/>x"]
    {
        assert!(page(text).is_err(), "{text}");
        assert!(entity(text).is_err(), "{text}");
        assert!(ids(text).is_err(), "{text}");
    }
    for text in [
        &valid.replace("<PagingInfo ", "<PagingInfo><a></b>"),
        &valid.replace("PageNum=\"1\"", "PageNum=\"one\""),
        &valid.replace("PagesCount=\"2\"", ""),
        &valid.replace("Type=\"CloudVmReplicaPoint\" ", "Type=\"VmRestorePoint\" "),
        &valid.replace("CloudVmReplicaPoints>", "VmRestorePoints>"),
        &valid.replace("<Entities>", "<Refs><Ref/></Refs><Entities>"),
        &valid.replace(
            "</QueryResult>",
            "<PagingInfo PageNum=\"1\" PageSize=\"5\" PagesCount=\"1\"/></QueryResult>",
        ),
        &valid.replace("<State>", "<State>Failover</State><State>"),
        &valid.replace("UID=", "Uid="),
        &valid.replace("UID=", "UID=\"\" UID="),
        &valid.replace("UID=\"urn", "UID=\"&urn;"),
        &valid.replace("Ready", "&ready;"),
        &valid.replace("Ready", "R&eady"),
        &valid.replace("utf-8", "windows-1252"),
        &valid.replace("2015-12-25T20:00:47Z", "yesterday"),
        &valid.replace("</QueryResult>", "</QueryResult><QueryResult/>"),
    ] {
        assert_ne!(text, valid);
        assert!(page(text).is_err(), "{text}");
    }
    assert!(page(valid.replace("Ready", "\u{1}\u{fffd}").replace('\u{fffd}', "x")).is_ok());
    let mut latin: Vec<u8> = valid.clone().into_bytes();
    let at = valid.find("Ready").unwrap();
    latin[at] = 0xE4;
    assert!(page(latin).is_err());
    assert!(
        read(valid, QueryResult::new(&CLOUD_VM_REPLICA_POINT, Keep::Fields, 1)).is_err(),
        "too many items"
    );
    let replica = ENTITY.replace("CloudVmReplicaPoint\"", "CloudReplica\"");
    assert!(
        read(replica, SingleEntity::new(&CLOUD_REPLICA, Keep::Fields)).is_err(),
        "the root's name"
    );
}

#[test]
fn an_empty_list_is_accepted() {
    for text in [
        "<QueryResult xmlns=\"http://www.veeam.com/ent/v1.0\"/>",
        "<QueryResult><Entities/></QueryResult>",
        "<QueryResult><Entities><CloudVmReplicaPoints/><Jobs/></Entities></QueryResult>",
    ] {
        assert_eq!(page(text).unwrap(), (Vec::new(), None));
    }
    assert!(ids("<EntityReferences/>").unwrap().is_empty());
}

#[test]
fn links_are_identified_by_their_type() {
    let other = "https://em/api/cloud/replicas/8393c284-c953-403f-a9b9-cff63e0c6815";
    let link = format!("<Links><Link Rel=\"Up\" Type=\"CloudReplicaReference\" Href=\"{other}\"/>");
    assert!(entity(&ENTITY.replace("<Links>", &link)).is_err(), "two replicas");
    let tenant = link.replace("CloudReplicaReference", "CloudTenantReference");
    let entity = entity(&ENTITY.replace("<Links>", &tenant)).unwrap();
    let replica = entity.link(LinkTarget::CloudReplica).unwrap();
    assert_eq!(replica.id.to_string(), "6b2b42d5-3850-421c-93c1-e063f12a2ead");
}

#[test]
fn of_a_duplicate_link_the_rel_other_than_up_is_kept() {
    let file = "https://em/api/backupFiles/8393c284-c953-403f-a9b9-cff63e0c6815";
    let link = |rel| format!("<Link Rel=\"{rel}\" Type=\"BackupFileReference\" Href=\"{file}\"/>");
    for (links, rel) in [
        (link("Up") + &link("Up"), "Up"),
        (link("Up") + &link("Related"), "Related"),
        (link("Related") + &link("Up"), "Related"),
    ] {
        let point = format!(
            "<VmRestorePoint Name=\"n\" UID=\"urn:veeam:VmRestorePoint:{}\"><Links>{links}<Link \
             Rel=\"Related\" Type=\"BackupFileReferenceList\" Href=\"{file}/x\"/></Links>\
             </VmRestorePoint>",
            SIX[0]
        );
        let sink = SingleEntity::new(&VM_RESTORE_POINT, Keep::Fields);
        let point = read(point, sink).unwrap().finish().unwrap();
        assert_eq!(point.link(LinkTarget::BackupFile).unwrap().rel, rel);
        assert_eq!(point.links.len(), 1);
    }
}

#[test]
fn a_link_that_is_not_read_may_be_malformed() {
    let children = "https://em/api/backups/8393c284-c953-403f-a9b9-cff63e0c6815/childbackups";
    let backup = format!(
        "<Backup Type=\"Backup\" Name=\"n\" UID=\"urn:veeam:Backup:{}\"><Links><Link Rel=\"Up\" \
         Type=\"Backup\" Href=\"{children}?format=Entity\"/></Links></Backup>",
        SIX[0]
    );
    let sink = SingleEntity::new(&BACKUP, Keep::Fields);
    assert!(read(backup, sink).unwrap().finish().unwrap().links.is_empty());
}

#[test]
fn dates_of_all_databases_are_parsed() {
    let created = |text: &str| {
        entity(&ENTITY.replace("2015-12-25T20:00:47Z", text))
            .map(|e| e.created.unwrap().to_string())
    };
    for (text, time) in [
        ("2025-11-03T18:01:25.93Z", "2025-11-03T18:01:25.93Z"),
        ("2026-06-16T06:33:10.6595591Z", "2026-06-16T06:33:10.6595591Z"),
        ("2025-12-25T20:00:47", "2025-12-25T20:00:47Z"),
        (" 1753-01-01T00:00:00Z\n", "1753-01-01T00:00:00Z"),
    ] {
        assert_eq!(created(text).unwrap(), time);
    }
    for text in
        ["", "2025-12-25 20:00:47", "2025-13-01T00:00:00Z", "2025-12-25T20:00:47+01:00", "ü"]
    {
        assert!(created(text).is_err(), "{text}");
    }
}

#[test]
fn memory_is_bounded() {
    let deep = format!("{}{}", "<a>".repeat(100_000), "</a>".repeat(100_000));
    assert!(read(&deep, IgnoreTokens).is_err());
    let name = format!("Name=\"{}", "x".repeat(100_000));
    assert!(page(query_page().replace("Name=\"", &name)).is_err());
    let many: String = (0..2000).map(|n| format!("a{n}=\"\" ")).collect();
    assert!(page(query_page().replace("Name=\"", &format!("{many} Name=\""))).is_err());
    let long = "<b>x</b>".repeat(50_000);
    assert!(entity(&ENTITY.replace("<State>", &format!("{long}<State>"))).is_err());

    // A tag that never ends is an error before it is buffered.
    let mut scanner = Scanner::default();
    assert!(scanner.push(b"<a x=\"", &mut IgnoreTokens).is_ok());
    assert!((0..1000).any(|_| scanner.push(&[b'y'; 1024], &mut IgnoreTokens).is_err()));
}

struct IgnoreTokens;

impl Sink for IgnoreTokens {
    fn token(&mut self, _: &Token<'_>, _: usize, _: &[u8]) -> Result<(), Problem> {
        Ok(())
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_cause_no_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), at in 0usize..900) {
        let mut document = query_page().into_bytes();
        document.splice(at..at, bytes.iter().copied());
        // If the page is accepted, it is complete.
        if let Ok((entities, _)) = page(&document) {
            prop_assert!(entities.len() == 2);
        }
        prop_assert!(page(&bytes).is_err());
    }
}
