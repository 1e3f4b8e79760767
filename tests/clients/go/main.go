// The callers' walk in Go: what a program generated from the contract by protoc-gen-go and
// protoc-gen-go-grpc sees of a running gateway. It pages through all points, reads two, makes a
// collection, copies a point into it, watches the copy until it is usable, and reads errors.
//
//	walk HOST:PORT
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

type walk struct {
	client         pb.RestorePointServiceClient
	passed, failed int

	azure, veeam *pb.RestorePoint
	newest       *pb.RestorePoint // what is copied
	home, target *pb.Collection   // from where, and to where
	copied       *pb.CopyResponse
}

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: walk HOST:PORT")
	}
	conn, err := grpc.NewClient(os.Args[1], grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()

	w := &walk{client: pb.NewRestorePointServiceClient(conn)}
	w.step("list", callTime, w.list)
	w.step("get", callTime, w.get)
	w.step("create", callTime, w.create)
	w.step("copy", callTime, w.copy)
	w.step("watch", watchTime, w.watch)
	w.step("errors", callTime, w.errors)
	fmt.Printf("go: %d passed, %d failed\n", w.passed, w.failed)
	if w.failed > 0 {
		os.Exit(1)
	}
}

// step runs one part of the walk; an error that it does not expect is one failed check.
func (w *walk) step(name string, limit time.Duration, part func(context.Context) error) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	if err := part(ctx); err != nil {
		w.check(name, false, err)
	}
}

func (w *walk) check(name string, ok bool, why any) {
	if ok {
		w.passed++
		fmt.Println("ok  ", name)
		return
	}
	w.failed++
	fmt.Printf("FAIL %s: %v\n", name, why)
}

func (w *walk) list(ctx context.Context) error {
	request := &pb.ListRequest{Parent: "backends/-/collections/-", PageSize: 7}
	var points []*pb.RestorePoint
	var largest, pages int
	var unreachable []string
	for {
		page, err := w.client.List(ctx, request)
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
	var dishonest []string
	for _, point := range points {
		names[point.GetName()] = true
		ready := point.GetState() == pb.RestorePoint_READY
		if point.GetUsable() != ready {
			dishonest = append(dishonest, point.GetName())
		}
		switch point.GetVendor().(type) {
		case *pb.RestorePoint_Azure:
			azure++
			if ready {
				w.azure = point
			}
		case *pb.RestorePoint_Veeam:
			veeam++
			if ready {
				w.veeam = point
			}
		}
	}
	w.check("list: several pages of at most 7", pages > 1 && largest <= 7, fmt.Sprintf("%d pages, %d in one", pages, largest))
	w.check("list: every backend was read", len(unreachable) == 0, unreachable)
	w.check("list: no point twice", len(names) == len(points), fmt.Sprintf("%d names of %d points", len(names), len(points)))
	w.check("list: points of both vendors, and no others", azure > 0 && veeam >= 6 && azure+veeam == len(points),
		fmt.Sprintf("%d of Azure, %d of Veeam, %d in all", azure, veeam, len(points)))
	w.check("list: usable exactly if READY", len(dishonest) == 0, dishonest)
	return nil
}

func (w *walk) get(ctx context.Context) error {
	for _, each := range []struct {
		vendor string
		listed *pb.RestorePoint
	}{{"Azure", w.azure}, {"Veeam", w.veeam}} {
		got, err := w.client.Get(ctx, &pb.GetRequest{Name: each.listed.GetName()})
		if err != nil {
			return err
		}
		w.check("get: the "+each.vendor+" point that was listed",
			got.GetName() == each.listed.GetName() && got.GetState() == each.listed.GetState(), got)
	}
	_, id, _ := strings.Cut(w.veeam.GetName(), "/restorePoints/")
	got, err := w.client.Get(ctx, &pb.GetRequest{Name: "backends/veeam/collections/-/restorePoints/" + id})
	if err != nil {
		return err
	}
	w.check("get: the Veeam point without its collection", got.GetName() == w.veeam.GetName(), got)
	return nil
}

func (w *walk) create(ctx context.Context) error {
	if err := w.choose(ctx); err != nil {
		return err
	}
	// Beside it, since a resource group must be there before anything is created in it.
	group, _, _ := strings.Cut(path.Base(w.home.GetName()), "~")
	request := &pb.CreateCollectionRequest{
		Parent:       "backends/azure",
		CollectionId: group + "~walk-go",
		Collection:   &pb.Collection{Location: region, Source: w.home.GetName()},
	}
	var err error
	if w.target, err = w.client.CreateCollection(ctx, request); err != nil {
		return err
	}
	w.check("create: named by the caller, made from the source",
		w.target.GetName() == "backends/azure/collections/"+request.CollectionId &&
			w.target.GetSource() == w.home.GetName() && w.target.GetLocation() == region, w.target)
	again, err := w.client.CreateCollection(ctx, request)
	if err != nil {
		return err
	}
	w.check("create: again, the same answer", proto.Equal(again, w.target), again)
	return nil
}

// choose finds a collection of a machine's own points, and the newest usable point in it.
func (w *walk) choose(ctx context.Context) error {
	request := &pb.ListCollectionsRequest{Parent: "backends/azure"}
	for {
		page, err := w.client.ListCollections(ctx, request)
		if err != nil {
			return err
		}
		for _, home := range page.GetCollections() {
			if !strings.HasPrefix(home.GetSource(), "/subscriptions/") || home.GetLocation() == region ||
				strings.Contains(strings.ToLower(home.GetName()), "azurebackup") {
				continue
			}
			ready, err := w.client.List(ctx, &pb.ListRequest{
				Parent: home.GetName(), Filter: "state = READY", OrderBy: "point_time desc", PageSize: 1,
			})
			if err != nil {
				return err
			}
			if points := ready.GetRestorePoints(); len(points) > 0 && points[0].GetSourceRestorePoint() == "" {
				w.home, w.newest = home, points[0]
				return nil
			}
		}
		if request.PageToken = page.GetNextPageToken(); request.PageToken == "" {
			return errors.New("no collection holds a point to copy")
		}
	}
}

func (w *walk) copy(ctx context.Context) error {
	request := &pb.CopyRequest{Source: w.newest.GetName(), Destination: w.target.GetName(), RequestId: requestID}
	request.ValidateOnly = true
	planned, err := w.client.Copy(ctx, request)
	if err != nil {
		return err
	}
	_, err = w.client.Get(ctx, &pb.GetRequest{Name: planned.GetRestorePoint().GetName()})
	w.check("copy: validate_only writes nothing",
		planned.GetResumeToken() == "" && status.Code(err) == codes.NotFound, err)

	request.ValidateOnly = false
	if w.copied, err = w.client.Copy(ctx, request); err != nil {
		return err
	}
	point := w.copied.GetRestorePoint()
	w.check("copy: the name that validate_only foretold",
		point.GetName() == planned.GetRestorePoint().GetName() &&
			strings.HasPrefix(point.GetName(), w.target.GetName()+"/restorePoints/"), point.GetName())
	w.check("copy: knows its source", point.GetSourceRestorePoint() == w.newest.GetName(), point)
	w.check("copy: a token to watch it with", w.copied.GetResumeToken() != "", w.copied)
	again, err := w.client.Copy(ctx, request)
	if err != nil {
		return err
	}
	w.check("copy: again, the same point", again.GetRestorePoint().GetUid() == point.GetUid(), again)
	return nil
}

func (w *walk) watch(ctx context.Context) error {
	name := w.copied.GetRestorePoint().GetName()
	stream, err := w.client.WatchStatus(ctx, &pb.WatchStatusRequest{
		Names: []string{name}, ResumeToken: w.copied.GetResumeToken(),
	})
	if err != nil {
		return err
	}
	var events []pb.WatchStatusResponse_Event
	var told []*pb.RestorePoint
	for {
		event, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			break // the gateway ended it, with OK
		}
		if err != nil {
			return fmt.Errorf("after %v: %w", events, err)
		}
		events = append(events, event.GetEvent())
		if point := event.GetRestorePoint(); point != nil {
			told = append(told, point)
		}
	}
	w.check("watch: ends by itself, with OK", true, nil)
	synced := slices.Index(events, pb.WatchStatusResponse_SYNCED)
	w.check("watch: SNAPSHOT, then SYNCED", synced == 1 && events[0] == pb.WatchStatusResponse_SNAPSHOT, events)
	if len(told) == 0 {
		return errors.New("nothing was told of the point")
	}
	last := told[len(told)-1]
	w.check("watch: until READY", last.GetName() == name && last.GetState() == pb.RestorePoint_READY, last)
	w.check("watch: usable at the end and never before", last.GetUsable() &&
		!slices.ContainsFunc(told[:len(told)-1], (*pb.RestorePoint).GetUsable), told)
	var percents []int32
	for _, point := range told {
		if point.CopyProgressPercent != nil {
			percents = append(percents, point.GetCopyProgressPercent())
		}
	}
	w.check("watch: percent never falls", slices.IsSorted(percents) && last.GetCopyProgressPercent() == 100, percents)
	return nil
}

func (w *walk) errors(ctx context.Context) error {
	_, err := w.client.Get(ctx, &pb.GetRequest{Name: "backends/azure/no-such-thing"})
	fields := detail[*errdetails.BadRequest](err).GetFieldViolations()
	w.check("errors: a malformed name names the field", status.Code(err) == codes.InvalidArgument &&
		len(fields) == 1 && fields[0].GetField() == "name", err)
	info := detail[*errdetails.ErrorInfo](err)
	w.check("errors: and has its reason", info.GetReason() == "INVALID_NAME" && info.GetDomain() == "restorepoint.v1", info)

	_, err = w.client.Copy(ctx, &pb.CopyRequest{
		Source: w.veeam.GetName(), Destination: "backends/veeam/collections/elsewhere",
	})
	info = detail[*errdetails.ErrorInfo](err)
	w.check("errors: a copy at Veeam is not supported",
		status.Code(err) == codes.Unimplemented && info.GetReason() == "CAPABILITY_NOT_SUPPORTED", err)
	w.check("errors: and says what by whom",
		info.GetMetadata()["backend"] == "veeam" && info.GetMetadata()["capability"] == "copy", info)

	absent := w.home.GetName() + "/restorePoints/absent"
	_, err = w.client.Get(ctx, &pb.GetRequest{Name: absent})
	resource := detail[*errdetails.ResourceInfo](err)
	w.check("errors: an absent point is NOT_FOUND, by its name",
		status.Code(err) == codes.NotFound && resource.GetResourceName() == absent, err)
	return nil
}

// detail is the first of an error's details that has the wanted type; its zero value if there is none.
func detail[T proto.Message](err error) (found T) {
	for _, each := range status.Convert(err).Details() {
		if wanted, ok := each.(T); ok {
			return wanted
		}
	}
	return found
}
