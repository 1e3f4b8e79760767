// A client in Go, with code generated from the contract by protoc-gen-go and protoc-gen-go-grpc. It lists
// all points page by page, gets two of them, creates a collection, copies a point into it, watches the copy
// until it is usable, and decodes the details of errors.
//
//	client HOST:PORT
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	pb "restorepoint/v1"
)

const (
	region    = "westus2"
	requestID = "5f0c1f4e-6d3c-4a55-9b0e-2f6f5d1f0a01"
	callTime  = 30 * time.Second
	watchTime = 120 * time.Second
)

type client struct {
	service        pb.RestorePointServiceClient
	passed, failed int

	azure, veeam *pb.RestorePoint
	newest       *pb.RestorePoint // the point to copy
	home, target *pb.Collection   // the collections to copy from and to
	copied       *pb.CopyResponse
}

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: client HOST:PORT")
	}
	conn, err := grpc.NewClient(os.Args[1], grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()

	c := &client{service: pb.NewRestorePointServiceClient(conn)}
	c.step("list", callTime, c.list)
	c.step("get", callTime, c.get)
	c.step("create", callTime, c.create)
	c.step("copy", callTime, c.copy)
	c.step("watch", watchTime, c.watch)
	c.step("errors", callTime, c.errors)
	fmt.Printf("go: %d passed, %d failed\n", c.passed, c.failed)
	if c.failed > 0 {
		os.Exit(1)
	}
}

// step runs one part of the suite; an unexpected error is one failed check.
func (c *client) step(name string, limit time.Duration, part func(context.Context) error) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	if err := part(ctx); err != nil {
		c.check(name, false, err)
	}
}

func (c *client) check(name string, ok bool, why any) {
	if ok {
		c.passed++
		fmt.Println("ok  ", name)
		return
	}
	c.failed++
	fmt.Printf("FAIL %s: %v\n", name, why)
}

func (c *client) list(ctx context.Context) error {
	request := &pb.ListRequest{Parent: "backends/-/collections/-", PageSize: 7}
	var points []*pb.RestorePoint
	var largest, pages int
	var unreachable []string
	for {
		page, err := c.service.List(ctx, request)
		if err != nil {
			return err
		}
		pages++
		largest = max(largest, len(page.GetRestorePoints()))
		points = append(points, page.GetRestorePoints()...)
		unreachable = append(unreachable, page.GetUnreachable()...)
		if page.GetNextPageToken() == "" {
			break
		}
		request.PageToken = page.GetNextPageToken()
	}
	names := map[string]bool{}
	var azure, veeam int
	var inconsistent []string
	for _, point := range points {
		names[point.GetName()] = true
		ready := point.GetState() == pb.RestorePoint_READY
		if point.GetUsable() != ready {
			inconsistent = append(inconsistent, point.GetName())
		}
		switch point.GetVendor().(type) {
		case *pb.RestorePoint_Azure:
			azure++
			if ready {
				c.azure = point
			}
		case *pb.RestorePoint_Veeam:
			veeam++
			if ready {
				c.veeam = point
			}
		}
	}
	c.check("list: several pages of at most 7", pages > 1 && largest <= 7, fmt.Sprintf("%d pages, %d in one", pages, largest))
	c.check("list: every backend was read", len(unreachable) == 0, unreachable)
	c.check("list: no point twice", len(names) == len(points), fmt.Sprintf("%d names of %d points", len(names), len(points)))
	c.check("list: points of both vendors, and no others", azure > 0 && veeam >= 6 && azure+veeam == len(points),
		fmt.Sprintf("%d of Azure, %d of Veeam, %d in all", azure, veeam, len(points)))
	c.check("list: usable exactly if READY", len(inconsistent) == 0, inconsistent)
	return nil
}

func (c *client) get(ctx context.Context) error {
	for _, each := range []struct {
		vendor string
		listed *pb.RestorePoint
	}{{"Azure", c.azure}, {"Veeam", c.veeam}} {
		got, err := c.service.Get(ctx, &pb.GetRequest{Name: each.listed.GetName()})
		if err != nil {
			return err
		}
		c.check("get: the "+each.vendor+" point that was listed",
			got.GetName() == each.listed.GetName() && got.GetState() == each.listed.GetState(), got)
	}
	_, id, _ := strings.Cut(c.veeam.GetName(), "/restorePoints/")
	got, err := c.service.Get(ctx, &pb.GetRequest{Name: "backends/veeam/collections/-/restorePoints/" + id})
	if err != nil {
		return err
	}
	c.check("get: the Veeam point without its collection", got.GetName() == c.veeam.GetName(), got)
	return nil
}

func (c *client) create(ctx context.Context) error {
	if err := c.choose(ctx); err != nil {
		return err
	}
	// In the same resource group, which must exist already.
	group, _, _ := strings.Cut(path.Base(c.home.GetName()), "~")
	request := &pb.CreateCollectionRequest{
		Parent:       "backends/azure",
		CollectionId: group + "~client-go",
		Collection:   &pb.Collection{Location: region, Source: c.home.GetName()},
	}
	var err error
	if c.target, err = c.service.CreateCollection(ctx, request); err != nil {
		return err
	}
	c.check("create: the requested id and source",
		c.target.GetName() == "backends/azure/collections/"+request.CollectionId &&
			c.target.GetSource() == c.home.GetName() && c.target.GetLocation() == region, c.target)
	again, err := c.service.CreateCollection(ctx, request)
	if err != nil {
		return err
	}
	c.check("create: repeated, the same response", proto.Equal(again, c.target), again)
	return nil
}

// choose finds a collection whose source is a virtual machine, and the newest usable point in it.
func (c *client) choose(ctx context.Context) error {
	request := &pb.ListCollectionsRequest{Parent: "backends/azure"}
	for {
		page, err := c.service.ListCollections(ctx, request)
		if err != nil {
			return err
		}
		for _, home := range page.GetCollections() {
			if !strings.HasPrefix(home.GetSource(), "/subscriptions/") || home.GetLocation() == region ||
				strings.Contains(strings.ToLower(home.GetName()), "azurebackup") {
				continue
			}
			ready, err := c.service.List(ctx, &pb.ListRequest{
				Parent: home.GetName(), Filter: "state = READY", OrderBy: "point_time desc", PageSize: 1,
			})
			if err != nil {
				return err
			}
			if points := ready.GetRestorePoints(); len(points) > 0 && points[0].GetSourceRestorePoint() == "" {
				c.home, c.newest = home, points[0]
				return nil
			}
		}
		if request.PageToken = page.GetNextPageToken(); request.PageToken == "" {
			return errors.New("no collection holds a point to copy")
		}
	}
}

func (c *client) copy(ctx context.Context) error {
	request := &pb.CopyRequest{Source: c.newest.GetName(), Destination: c.target.GetName(), RequestId: requestID}
	request.ValidateOnly = true
	planned, err := c.service.Copy(ctx, request)
	if err != nil {
		return err
	}
	_, err = c.service.Get(ctx, &pb.GetRequest{Name: planned.GetRestorePoint().GetName()})
	c.check("copy: validate_only writes nothing",
		planned.GetResumeToken() == "" && status.Code(err) == codes.NotFound, err)

	request.ValidateOnly = false
	if c.copied, err = c.service.Copy(ctx, request); err != nil {
		return err
	}
	point := c.copied.GetRestorePoint()
	c.check("copy: the name that validate_only returned",
		point.GetName() == planned.GetRestorePoint().GetName() &&
			strings.HasPrefix(point.GetName(), c.target.GetName()+"/restorePoints/"), point.GetName())
	c.check("copy: its source", point.GetSourceRestorePoint() == c.newest.GetName(), point)
	c.check("copy: a resume token", c.copied.GetResumeToken() != "", c.copied)
	again, err := c.service.Copy(ctx, request)
	if err != nil {
		return err
	}
	c.check("copy: repeated, the same point", again.GetRestorePoint().GetUid() == point.GetUid(), again)
	return nil
}

func (c *client) watch(ctx context.Context) error {
	name := c.copied.GetRestorePoint().GetName()
	stream, err := c.service.WatchStatus(ctx, &pb.WatchStatusRequest{
		Names: []string{name}, ResumeToken: c.copied.GetResumeToken(),
	})
	if err != nil {
		return err
	}
	var events []pb.WatchStatusResponse_Event
	var points []*pb.RestorePoint
	for {
		event, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			break // the gateway ended the stream with OK
		}
		if err != nil {
			return fmt.Errorf("after %v: %w", events, err)
		}
		events = append(events, event.GetEvent())
		if point := event.GetRestorePoint(); point != nil {
			points = append(points, point)
		}
	}
	c.check("watch: the gateway ends the stream with OK", true, nil)
	synced := slices.Index(events, pb.WatchStatusResponse_SYNCED)
	c.check("watch: SNAPSHOT, then SYNCED", synced == 1 && events[0] == pb.WatchStatusResponse_SNAPSHOT, events)
	if len(points) == 0 {
		return errors.New("no event carries the point")
	}
	last := points[len(points)-1]
	c.check("watch: until READY", last.GetName() == name && last.GetState() == pb.RestorePoint_READY, last)
	c.check("watch: usable at the end and never before", last.GetUsable() &&
		!slices.ContainsFunc(points[:len(points)-1], (*pb.RestorePoint).GetUsable), points)
	var percents []int32
	for _, point := range points {
		if point.CopyProgressPercent != nil {
			percents = append(percents, point.GetCopyProgressPercent())
		}
	}
	c.check("watch: the percentage never decreases", slices.IsSorted(percents) && last.GetCopyProgressPercent() == 100, percents)
	return nil
}

func (c *client) errors(ctx context.Context) error {
	_, err := c.service.Get(ctx, &pb.GetRequest{Name: "backends/azure/no-such-thing"})
	fields := detail[*errdetails.BadRequest](err).GetFieldViolations()
	c.check("errors: a malformed name names the field", status.Code(err) == codes.InvalidArgument &&
		len(fields) == 1 && fields[0].GetField() == "name", err)
	info := detail[*errdetails.ErrorInfo](err)
	c.check("errors: a malformed name has its reason", info.GetReason() == "INVALID_NAME" && info.GetDomain() == "restorepoint.v1", info)

	_, err = c.service.Copy(ctx, &pb.CopyRequest{
		Source: c.veeam.GetName(), Destination: "backends/veeam/collections/elsewhere",
	})
	info = detail[*errdetails.ErrorInfo](err)
	c.check("errors: a copy at Veeam is not supported",
		status.Code(err) == codes.Unimplemented && info.GetReason() == "CAPABILITY_NOT_SUPPORTED", err)
	c.check("errors: it names the backend and the capability",
		info.GetMetadata()["backend"] == "veeam" && info.GetMetadata()["capability"] == "copy", info)

	absent := c.home.GetName() + "/restorePoints/absent"
	_, err = c.service.Get(ctx, &pb.GetRequest{Name: absent})
	resource := detail[*errdetails.ResourceInfo](err)
	c.check("errors: an absent point is NOT_FOUND and is named",
		status.Code(err) == codes.NotFound && resource.GetResourceName() == absent, err)
	return nil
}

// detail returns the first detail of an error that has the type T, or T's zero value.
func detail[T proto.Message](err error) (found T) {
	for _, each := range status.Convert(err).Details() {
		if found, ok := each.(T); ok {
			return found
		}
	}
	return found
}
