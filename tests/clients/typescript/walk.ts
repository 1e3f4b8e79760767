// The callers' walk in TypeScript: what a program for Node generated from the contract by ts-proto,
// on grpc-js, sees of a running gateway. It pages through all points, reads two, makes a collection,
// copies a point into it, watches the copy until it is usable, and reads errors.
//
//     node walk.js HOST:PORT

import { isDeepStrictEqual } from "node:util";
import {
  type CallOptions, type ClientUnaryCall, credentials, Metadata, type ServiceError, status, type StatusObject,
} from "@grpc/grpc-js";

import { BadRequest, ErrorInfo, ResourceInfo } from "./generated/google/rpc/error_details.js";
import { Status } from "./generated/google/rpc/status.js";
import { type Collection } from "./generated/restorepoint/v1/collection.js";
import { type RestorePoint, RestorePoint_State as State } from "./generated/restorepoint/v1/restore_point.js";
import {
  CopyRequest, type CopyResponse, CreateCollectionRequest, GetRequest, ListCollectionsRequest, ListRequest,
  type ListResponse, RestorePointServiceClient, WatchStatusRequest, type WatchStatusResponse,
  WatchStatusResponse_Event as Event,
} from "./generated/restorepoint/v1/restore_point_service.js";

const REGION = "southeastasia";
const REQUEST_ID = "5f0c1f4e-6d3c-4a55-9b0e-2f6f5d1f0a03";
const CALL_SECONDS = 30;
const WATCH_SECONDS = 120;

type Unary<Request, Response> = (
  request: Request, metadata: Metadata, options: Partial<CallOptions>,
  callback: (error: ServiceError | null, response: Response) => void,
) => ClientUnaryCall;

const within = (seconds: number): Partial<CallOptions> => ({ deadline: Date.now() + seconds * 1000 });

class Walk {
  passed = 0;
  failed = 0;
  azure!: RestorePoint;
  veeam!: RestorePoint;
  home!: Collection;
  newest!: RestorePoint;
  target!: Collection;
  copied!: RestorePoint;
  resumeToken = "";

  constructor(readonly client: RestorePointServiceClient) {}

  check(name: string, ok: boolean, why: unknown): void {
    if (ok) {
      this.passed += 1;
      console.log(`ok   ${name}`);
    } else {
      this.failed += 1;
      console.log(`FAIL ${name}: ${JSON.stringify(why)}`);
    }
  }

  async run(): Promise<void> {
    for (const step of [this.list, this.get, this.create, this.copy, this.watch, this.errors]) {
      try {
        await step.call(this);
      } catch (error) { // one that the step does not expect is one failed check
        this.check(step.name, false, String(error));
      }
    }
  }

  /** One unary call as a promise; it rejects with the ServiceError. */
  call<Request, Response>(method: Unary<Request, Response>, request: Request): Promise<Response> {
    return new Promise((resolve, reject) =>
      method.call(this.client, request, new Metadata(), within(CALL_SECONDS), (error, response) =>
        error ? reject(error) : resolve(response)));
  }

  async list(): Promise<void> {
    const request = ListRequest.fromPartial({ parent: "backends/-/collections/-", pageSize: 7 });
    const pages: ListResponse[] = [];
    do {
      pages.push(await this.call(this.client.list, request));
      request.pageToken = pages.at(-1)!.nextPageToken;
    } while (request.pageToken);

    const points = pages.flatMap((page) => page.restorePoints);
    const azure = points.filter((point) => point.azure);
    const veeam = points.filter((point) => point.veeam);
    const ready = (point: RestorePoint) => point.state === State.READY;
    const sizes = pages.map((page) => page.restorePoints.length);
    this.check("list: several pages of at most 7", sizes.length > 1 && Math.max(...sizes) <= 7, sizes);
    const unreachable = pages.flatMap((page) => page.unreachable);
    this.check("list: every backend was read", unreachable.length === 0, unreachable);
    const names = new Set(points.map((point) => point.name));
    this.check("list: no point twice", names.size === points.length, points.map((point) => point.name).sort());
    this.check("list: points of both vendors, and no others",
      azure.length > 0 && veeam.length >= 6 && azure.length + veeam.length === points.length,
      [azure.length, veeam.length, points.length]);
    const dishonest = points.filter((point) => point.usable !== ready(point));
    this.check("list: usable exactly if READY", dishonest.length === 0, dishonest);
    this.azure = azure.find(ready)!;
    this.veeam = veeam.find(ready)!;
  }

  async get(): Promise<void> {
    for (const [vendor, listed] of [["Azure", this.azure], ["Veeam", this.veeam]] as const) {
      const got = await this.call(this.client.get, GetRequest.fromPartial({ name: listed.name }));
      this.check(`get: the ${vendor} point that was listed`,
        got.name === listed.name && got.state === listed.state, got);
    }
    const name = `backends/veeam/collections/-/restorePoints/${this.veeam.name.split("/").at(-1)}`;
    const got = await this.call(this.client.get, GetRequest.fromPartial({ name }));
    this.check("get: the Veeam point without its collection", got.name === this.veeam.name, got);
  }

  async create(): Promise<void> {
    [this.home, this.newest] = await this.choose();
    // Beside it, since a resource group must be there before anything is created in it.
    const group = this.home.name.split("/").at(-1)!.split("~")[0];
    const request = CreateCollectionRequest.fromPartial({
      parent: "backends/azure",
      collectionId: `${group}~walk-typescript`,
      collection: { location: REGION, source: this.home.name },
    });
    this.target = await this.call(this.client.createCollection, request);
    const { name, source, location } = this.target;
    this.check("create: named by the caller, made from the source",
      name === `backends/azure/collections/${request.collectionId}` && source === this.home.name && location === REGION,
      this.target);
    const again = await this.call(this.client.createCollection, request);
    this.check("create: again, the same answer", isDeepStrictEqual(again, this.target), again);
  }

  /** A collection of a machine's own points, and the newest usable point in it. */
  async choose(): Promise<[Collection, RestorePoint]> {
    const request = ListCollectionsRequest.fromPartial({ parent: "backends/azure" });
    do {
      const page = await this.call(this.client.listCollections, request);
      for (const home of page.collections) {
        const ofMachine = home.source.startsWith("/subscriptions/");
        if (!ofMachine || home.location === REGION || /azurebackup/i.test(home.name)) continue;
        const newest = await this.call(this.client.list, ListRequest.fromPartial({
          parent: home.name, filter: "state = READY", orderBy: "point_time desc", pageSize: 1,
        }));
        const local = newest.restorePoints.find((point) => !point.sourceRestorePoint);
        if (local) return [home, local];
      }
      request.pageToken = page.nextPageToken;
    } while (request.pageToken);
    throw new Error("no collection holds a point to copy");
  }

  async copy(): Promise<void> {
    const request = CopyRequest.fromPartial({
      source: this.newest.name, destination: this.target.name, requestId: REQUEST_ID,
    });
    const send = async (validateOnly: boolean): Promise<[RestorePoint, CopyResponse]> => {
      const response = await this.call(this.client.copy, { ...request, validateOnly });
      return [response.restorePoint!, response];
    };
    const [planned, trial] = await send(true);
    const missing = await this.errorOf(this.client.get, GetRequest.fromPartial({ name: planned.name }));
    this.check("copy: validate_only writes nothing",
      trial.resumeToken === "" && missing.code === status.NOT_FOUND, missing);

    const [point, { resumeToken }] = await send(false);
    this.copied = point;
    this.resumeToken = resumeToken;
    this.check("copy: the name that validate_only foretold",
      point.name === planned.name && point.name.startsWith(`${this.target.name}/restorePoints/`), point.name);
    this.check("copy: knows its source", point.sourceRestorePoint === this.newest.name, point);
    this.check("copy: a token to watch it with", resumeToken !== "", point);
    const [again] = await send(false);
    this.check("copy: again, the same point", again.uid === point.uid, again);
  }

  async watch(): Promise<void> {
    const request = WatchStatusRequest.fromPartial({ names: [this.copied.name], resumeToken: this.resumeToken });
    const stream = this.client.watchStatus(request, new Metadata(), within(WATCH_SECONDS));
    let end: StatusObject | undefined;
    stream.on("status", (status: StatusObject) => { end = status; });
    const events: WatchStatusResponse[] = [];
    for await (const event of stream) events.push(event); // until the gateway ends it

    this.check("watch: ends by itself, with OK", end?.code === status.OK, end);
    const kinds = events.map((event) => event.event);
    this.check("watch: SNAPSHOT, then SYNCED",
      kinds[0] === Event.SNAPSHOT && kinds.indexOf(Event.SYNCED) === 1 && kinds.lastIndexOf(Event.SYNCED) === 1,
      kinds);
    const told = events.flatMap((event) => event.restorePoint ?? []);
    const last = told.at(-1);
    this.check("watch: until READY", last?.name === this.copied.name && last.state === State.READY, last);
    const usable = told.map((point) => point.usable);
    this.check("watch: usable at the end and never before",
      usable.at(-1) === true && !usable.slice(0, -1).includes(true), usable);
    const percents = told.flatMap((point) => point.copyProgressPercent ?? []);
    this.check("watch: percent never falls",
      percents.at(-1) === 100 && percents.every((percent, i) => i === 0 || percent >= percents[i - 1]!), percents);
  }

  async errors(): Promise<void> {
    const malformed = await this.errorOf(this.client.get, GetRequest.fromPartial({ name: "backends/azure/no-such-thing" }));
    const fields = malformed.badRequest?.fieldViolations.map((violation) => violation.field);
    this.check("errors: a malformed name names the field",
      malformed.code === status.INVALID_ARGUMENT && isDeepStrictEqual(fields, ["name"]), malformed);
    this.check("errors: and has its reason",
      malformed.info?.reason === "INVALID_NAME" && malformed.info.domain === "restorepoint.v1", malformed);

    const unsupported = await this.errorOf(this.client.copy, CopyRequest.fromPartial({
      source: this.veeam.name, destination: "backends/veeam/collections/elsewhere",
    }));
    this.check("errors: a copy at Veeam is not supported",
      unsupported.code === status.UNIMPLEMENTED && unsupported.info?.reason === "CAPABILITY_NOT_SUPPORTED", unsupported);
    this.check("errors: and says what by whom",
      isDeepStrictEqual(unsupported.info?.metadata, { backend: "veeam", capability: "copy" }), unsupported);

    const name = `${this.home.name}/restorePoints/absent`;
    const absent = await this.errorOf(this.client.get, GetRequest.fromPartial({ name }));
    this.check("errors: an absent point is NOT_FOUND, by its name",
      absent.code === status.NOT_FOUND && absent.resource?.resourceName === name, absent);
  }

  /** The code and the details of a call that must fail. */
  async errorOf<Request, Response>(method: Unary<Request, Response>, request: Request) {
    const error = await this.call(method, request).then(
      () => { throw new Error("an error was expected, not an answer"); },
      (error: ServiceError) => error,
    );
    // grpc-js hands out the details as they came: a serialized google.rpc.Status in a trailer.
    const [packed] = error.metadata.get("grpc-status-details-bin");
    if (!Buffer.isBuffer(packed)) throw error;
    const { details } = Status.decode(packed);
    const detail = <T>(name: string, type: { decode(bytes: Uint8Array): T }): T | undefined => {
      const found = details.find(({ typeUrl }) => typeUrl === `type.googleapis.com/google.rpc.${name}`);
      return found && type.decode(found.value);
    };
    return {
      code: error.code,
      info: detail("ErrorInfo", ErrorInfo),
      badRequest: detail("BadRequest", BadRequest),
      resource: detail("ResourceInfo", ResourceInfo),
    };
  }
}

const [address] = process.argv.slice(2);
if (!address) {
  console.error("usage: node walk.js HOST:PORT");
  process.exit(1);
}
const client = new RestorePointServiceClient(address, credentials.createInsecure());
const walk = new Walk(client);
await walk.run();
client.close();
console.log(`typescript: ${walk.passed} passed, ${walk.failed} failed`);
process.exitCode = walk.failed > 0 ? 1 : 0;
