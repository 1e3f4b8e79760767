// armcompute and azidentity, Microsoft's client libraries for Go, against the simulated Azure: the whole life of
// collections and points, and each refusal as the library's own error.
//
// The variable ACCESS names the file that the sandbox wrote.
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
)

const (
	group  = "RG-Prod"
	home   = "suite-go"
	target = "suite-go-west"
	point  = "one"

	stepTime = 90 * time.Second
	// The shortest interval that the library accepts.
	pause = time.Second
)

type suite struct {
	checks
	access access

	collections *armcompute.RestorePointCollectionsClient
	points      *armcompute.RestorePointsClient
	disks       *armcompute.DiskRestorePointClient

	seeded, home *armcompute.RestorePointCollection
	made         *armcompute.RestorePoint
}

func main() {
	access, err := readAccess(os.Getenv("ACCESS"))
	if err != nil {
		log.Fatal(err)
	}
	factory, err := access.factory(access.ClientSecret)
	if err != nil {
		log.Fatal(err)
	}
	s := &suite{
		access:      access,
		collections: factory.NewRestorePointCollectionsClient(),
		points:      factory.NewRestorePointsClient(),
		disks:       factory.NewDiskRestorePointClient(),
	}
	s.step("credentials", s.credentials)
	s.step("lists", s.lists)
	s.step("create", s.create)
	s.step("copy", s.copy)
	s.step("disks", s.diskPoints)
	s.step("signed access", s.signedAccess)
	s.step("update", s.update)
	s.step("refusals", s.refusals)
	s.step("quota", s.quota)
	s.step("delete", s.delete)
	s.close("azure-go")
}

func (s *suite) credentials(ctx context.Context) error {
	factory, err := s.access.factory("wrong")
	if err != nil {
		return err
	}
	_, err = factory.NewRestorePointCollectionsClient().Get(ctx, group, "rpc-db01", nil)
	s.check("credentials: a wrong secret", err != nil && strings.Contains(err.Error(), "AADSTS7000215"), err)
	return nil
}

func (s *suite) lists(ctx context.Context) error {
	var ids []string
	pages, upper, backups := 0, true, 0
	for pager := s.collections.NewListAllPager(nil); pager.More(); pages++ {
		page, err := pager.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, one := range page.Value {
			ids = append(ids, strings.ToLower(*one.ID))
			upper = upper && strings.Contains(*one.ID, "/resourceGroups/"+strings.ToUpper(strings.Split(*one.ID, "/")[4])+"/")
			if strings.HasPrefix(*one.Name, "AzureBackup_") {
				backups++
			}
		}
	}
	s.check("list all: several pages", pages > 1, pages)
	s.check("list all: no collection twice", len(distinct(ids)) == len(ids), ids)
	s.check("list all: groups in upper case", upper, ids)
	s.check("list all: Azure Backup's collections too", backups > 0, backups)

	for pager := s.collections.NewListPager(strings.ToLower(group), nil); pager.More(); {
		page, err := pager.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, one := range page.Value {
			if *one.Name == "rpc-db01" {
				s.seeded = one
			}
		}
	}
	if s.seeded == nil {
		return fmt.Errorf("no rpc-db01 in %s", group)
	}
	s.check("list: groups spelled as created", strings.Contains(*s.seeded.ID, "/"+group+"/"), *s.seeded.ID)
	plain, err := s.collections.Get(ctx, group, *s.seeded.Name, nil)
	if err != nil {
		return err
	}
	s.check("get: no points unless requested", plain.Properties.RestorePoints == nil, plain.Properties)
	full, err := s.collections.Get(ctx, group, *s.seeded.Name, &armcompute.RestorePointCollectionsClientGetOptions{
		Expand: to.Ptr(armcompute.RestorePointCollectionExpandOptionsRestorePoints),
	})
	if err != nil {
		return err
	}
	s.check("get: expanded", len(full.Properties.RestorePoints) >= 6, len(full.Properties.RestorePoints))
	return nil
}

func (s *suite) create(ctx context.Context) error {
	made, err := s.collections.CreateOrUpdate(ctx, group, home, armcompute.RestorePointCollection{
		Location: to.Ptr("East US"),
		Tags:     map[string]*string{"made-by": to.Ptr("suite")},
		Properties: &armcompute.RestorePointCollectionProperties{
			Source: &armcompute.RestorePointCollectionSourceProperties{ID: s.seeded.Properties.Source.ID},
		},
	}, nil)
	if err != nil {
		return err
	}
	s.home = &made.RestorePointCollection
	s.check("create: a collection, completed at once", *made.Properties.ProvisioningState == "Succeeded", made.Properties)
	s.check("create: its region, normalised", *made.Location == "eastus", *made.Location)
	s.check("create: its source", *made.Properties.Source.ID == *s.seeded.Properties.Source.ID, made.Properties)
	s.check("create: its tags", *made.Tags["made-by"] == "suite", made.Tags)

	poller, err := s.points.BeginCreate(ctx, group, home, point, armcompute.RestorePoint{}, nil)
	if err != nil {
		return err
	}
	s.check("create: a point, in progress", !poller.Done(), poller)
	token, err := poller.ResumeToken()
	if err != nil {
		return err
	}
	// Resumed from the token, which holds the signed URL.
	poller, err = s.points.BeginCreate(ctx, group, home, point, armcompute.RestorePoint{},
		&armcompute.RestorePointsClientBeginCreateOptions{ResumeToken: token})
	if err != nil {
		return err
	}
	one, err := poller.PollUntilDone(ctx, &runtime.PollUntilDoneOptions{Frequency: pause})
	if err != nil {
		return err
	}
	s.made = &one.RestorePoint
	s.check("create: polled to the end", *one.Properties.ProvisioningState == "Succeeded", one.Properties)
	s.check("create: its consistency", *one.Properties.ConsistencyMode == armcompute.ConsistencyModeTypesFileSystemConsistent, one.Properties)
	profile := one.Properties.SourceMetadata.StorageProfile
	disks := profile.OSDisk.DiskRestorePoint != nil && len(profile.DataDisks) == 2
	for _, disk := range profile.DataDisks {
		disks = disks && disk.DiskRestorePoint != nil
	}
	s.check("create: each disk has a restore point", disks, profile)
	s.check("create: a point has no type", one.Type == nil, one.Type)
	return nil
}

func (s *suite) copy(ctx context.Context) error {
	made, err := s.collections.CreateOrUpdate(ctx, group, target, s.targetIn("francecentral"), nil)
	if err != nil {
		return err
	}
	s.check("copy: a target in another region", *made.Properties.Source.Location == "eastus", made.Properties)
	poller, err := s.startCopy(ctx, target, point)
	if err != nil {
		return err
	}
	one, err := poller.PollUntilDone(ctx, &runtime.PollUntilDoneOptions{Frequency: pause})
	if err != nil {
		return err
	}
	s.check("copy: its operation ends", *one.Properties.ProvisioningState == "Succeeded", one.Properties)
	s.check("copy: as old as its source", one.Properties.TimeCreated.Equal(*s.made.Properties.TimeCreated), one.Properties)
	s.check("copy: its source", *one.Properties.SourceRestorePoint.ID == *s.made.ID, one.Properties)

	rising, last := true, map[string]int32{}
	for code := ""; code != "ReplicationState/succeeded"; time.Sleep(pause / 5) {
		got, err := s.points.Get(ctx, group, target, point, &armcompute.RestorePointsClientGetOptions{
			Expand: to.Ptr(armcompute.RestorePointExpandOptionsInstanceView),
		})
		if err != nil {
			return err
		}
		view := got.Properties.InstanceView
		code = *view.Statuses[0].Code
		for _, disk := range view.DiskRestorePoints {
			percent := *disk.ReplicationStatus.CompletionPercent
			rising = rising && percent >= last[*disk.ID]
			last[*disk.ID] = percent
		}
	}
	whole := len(last) == 3
	for _, percent := range last {
		whole = whole && percent == 100
	}
	s.check("copy: replicated in the end, percents rising to 100", rising && whole, last)
	return nil
}

func (s *suite) diskPoints(ctx context.Context) error {
	listed, err := s.disksOf(ctx, target)
	if err != nil {
		return err
	}
	s.check("disks: one for each disk", len(listed) == 3, listed)
	state := listed[0].Properties
	s.check("disks: replicated, by the disk provider too", *state.ReplicationState == "Succeeded" && *state.CompletionPercent == 100, state)
	one, err := s.disks.Get(ctx, group, target, point, *listed[0].Name, nil)
	if err != nil {
		return err
	}
	s.check("disks: get", *one.ID == *listed[0].ID, *one.ID)
	return nil
}

func (s *suite) signedAccess(ctx context.Context) error {
	listed, err := s.disksOf(ctx, home)
	if err != nil {
		return err
	}
	name := *listed[0].Name
	request := armcompute.GrantAccessData{Access: to.Ptr(armcompute.AccessLevelRead), DurationInSeconds: to.Ptr[int32](3600)}
	poller, err := s.disks.BeginGrantAccess(ctx, group, home, point, name, request, nil)
	if err != nil {
		return err
	}
	granted, err := poller.PollUntilDone(ctx, &runtime.PollUntilDoneOptions{Frequency: pause})
	if err != nil {
		return err
	}
	// The URL is a secret and is not printed, even if it is wrong.
	s.check("signed access: a URL", granted.AccessSAS != nil && strings.HasPrefix(*granted.AccessSAS, "https://"), "no URL")
	_, err = s.points.BeginDelete(ctx, group, home, point, nil)
	s.refused("signed access: no deletion meanwhile", err, 409, "DiskRestorePointUsedByCustomer")
	ending, err := s.disks.BeginRevokeAccess(ctx, group, home, point, name, nil)
	if err != nil {
		return err
	}
	_, err = ending.PollUntilDone(ctx, &runtime.PollUntilDoneOptions{Frequency: pause})
	s.check("signed access: ended", err == nil, err)
	return nil
}

func (s *suite) update(ctx context.Context) error {
	tags := map[string]*string{"made-by": to.Ptr("suite"), "stage": to.Ptr("2")}
	changed, err := s.collections.Update(ctx, group, home, armcompute.RestorePointCollectionUpdate{Tags: tags}, nil)
	if err != nil {
		return err
	}
	s.check("update: tags", len(changed.Tags) == 2 && *changed.Tags["stage"] == "2", changed.Tags)
	return nil
}

func (s *suite) refusals(ctx context.Context) error {
	_, err := s.points.Get(ctx, group, home, "no", nil)
	s.refused("refusal: no such point", err, 404, "NotFound")
	_, err = s.collections.Get(ctx, group, "no", nil)
	s.refused("refusal: no such collection", err, 404, "ResourceNotFound")
	_, err = s.points.Get(ctx, group, "no", "no", nil)
	s.refused("refusal: a point of no collection", err, 404, "ParentResourceNotFound")
	_, err = s.collections.NewListPager("rg-no", nil).NextPage(ctx)
	s.refused("refusal: no such group", err, 404, "ResourceGroupNotFound")
	_, err = s.points.BeginCreate(ctx, group, home, "no", armcompute.RestorePoint{
		Properties: &armcompute.RestorePointProperties{
			ConsistencyMode: to.Ptr(armcompute.ConsistencyModeTypesApplicationConsistent),
		},
	}, nil)
	s.refused("refusal: a consistency mode that cannot be requested", err, 400, "InvalidParameter")
	other := s.targetIn("francecentral")
	other.Properties.Source.ID = s.seeded.ID
	_, err = s.collections.CreateOrUpdate(ctx, group, target, other, nil)
	s.refused("refusal: another source for a collection", err, 409, "PropertyChangeNotAllowed")
	_, err = s.startCopy(ctx, target, "again")
	s.refused("refusal: a second copy to the same region", err, 409, "OperationNotAllowed")
	return nil
}

// quota takes less than an hour, which is six seconds in the sandbox: each copy is deleted while it runs.
func (s *suite) quota(ctx context.Context) error {
	const target = target + "-quota"
	if _, err := s.collections.CreateOrUpdate(ctx, group, target, s.targetIn("japaneast"), nil); err != nil {
		return err
	}
	for number := range 3 {
		name := "copy" + strconv.Itoa(number)
		if _, err := s.startCopy(ctx, target, name); err != nil {
			return err
		}
		poller, err := s.points.BeginDelete(ctx, group, target, name, nil)
		if err != nil {
			return err
		}
		for !poller.Done() {
			if _, err := poller.Poll(ctx); err != nil {
				return err
			}
			time.Sleep(pause / 20)
		}
	}
	_, err := s.startCopy(ctx, target, "copy3")
	response := s.refused("quota: refused at the fourth copy", err, 429, "OperationNotAllowed")
	if response != nil {
		wait, err := strconv.Atoi(response.Header.Get("Retry-After"))
		s.check("quota: Retry-After", err == nil && wait > 0 && wait <= 3600, response.Header.Get("Retry-After"))
	}
	return s.deleteCollection(ctx, target)
}

func (s *suite) delete(ctx context.Context) error {
	poller, err := s.points.BeginDelete(ctx, group, home, point, nil)
	if err != nil {
		return err
	}
	if _, err = poller.PollUntilDone(ctx, &runtime.PollUntilDoneOptions{Frequency: pause}); err != nil {
		return err
	}
	_, err = s.points.Get(ctx, group, home, point, nil)
	s.refused("delete: a point is gone", err, 404, "NotFound")
	for _, name := range []string{target, home} {
		if err := s.deleteCollection(ctx, name); err != nil {
			return err
		}
		_, err = s.collections.Get(ctx, group, name, nil)
		s.refused("delete: "+name+" is gone, with its points", err, 404, "ResourceNotFound")
	}
	return nil
}

func (s *suite) targetIn(region string) armcompute.RestorePointCollection {
	return armcompute.RestorePointCollection{
		Location: to.Ptr(region),
		Properties: &armcompute.RestorePointCollectionProperties{
			Source: &armcompute.RestorePointCollectionSourceProperties{ID: s.home.ID},
		},
	}
}

func (s *suite) startCopy(ctx context.Context, target, name string) (*runtime.Poller[armcompute.RestorePointsClientCreateResponse], error) {
	return s.points.BeginCreate(ctx, group, target, name, armcompute.RestorePoint{
		Properties: &armcompute.RestorePointProperties{
			SourceRestorePoint: &armcompute.APIEntityReference{ID: s.made.ID},
		},
	}, nil)
}

func (s *suite) disksOf(ctx context.Context, collection string) ([]*armcompute.DiskRestorePoint, error) {
	var all []*armcompute.DiskRestorePoint
	for pager := s.disks.NewListByRestorePointPager(group, collection, point, nil); pager.More(); {
		page, err := pager.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		all = append(all, page.Value...)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("no disk restore point in %s", collection)
	}
	return all, nil
}

func (s *suite) deleteCollection(ctx context.Context, name string) error {
	poller, err := s.collections.BeginDelete(ctx, group, name, nil)
	if err != nil {
		return err
	}
	_, err = poller.PollUntilDone(ctx, &runtime.PollUntilDoneOptions{Frequency: pause})
	return err
}
