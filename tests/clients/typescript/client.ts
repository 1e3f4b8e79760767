// A client in TypeScript, with code generated from the contract by ts-proto, on grpc-js. It lists all points page by
// page, gets two of them, creates a collection, copies a point into it, watches the copy until it is usable, and decodes
// the details of errors.
//
//     node client.js HOST:PORT

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

class Client {
  passed = 0;
  failed = 0;
  azure!: RestorePoint;
  veeam!: RestorePoint;
  home!: Collection;
  newest!: RestorePoint;
  target!: Collection;
  copied!: RestorePoint;
  resumeToken = "";

  constructor(readonly service: RestorePointServiceClient) {}

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
      } catch (error) { // an unexpected one is one failed check
        this.check(step.name, false, String(error));
      }
    }
  }

  /** A unary call as a promise that rejects with the ServiceError. */
  call<Request, Response>(method: Unary<Request, Response>, request: Request): Promise<Response> {
    return new Promise((resolve, reject) =>
      method.call(this.service, request, new Metadata(), within(CALL_SECONDS), (error, response) =>
        error ? reject(error) : resolve(response)));
  }

  async list(): Promise<void> {
    const request = ListRequest.fromPartial({ parent: "backends/-/collections/-", pageSize: 7 });
    const pages: ListResponse[] = [];
    do {
      pages.push(await this.call(this.service.list, request));
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
    const inconsistent = points.filter((point) => point.usable !== ready(point));
    this.check("list: usable exactly if READY", inconsistent.length === 0, inconsistent);
    this.azure = azure.find(ready)!;
    this.veeam = veeam.find(ready)!;
  }

  async get(): Promise<void> {
    for (const [vendor, listed] of [["Azure", this.azure], ["Veeam", this.veeam]] as const) {
      const got = await this.call(this.service.get, GetRequest.fromPartial({ name: listed.name }));
      this.check(`get: the ${vendor} point that was listed`,
        got.name === listed.name && got.state === listed.state, got);
    }
    const name = `backends/veeam/collections/-/restorePoints/${this.veeam.name.split("/").at(-1)}`;
    const got = await this.call(this.service.get, GetRequest.fromPartial({ name }));
    this.check("get: the Veeam point without its collection", got.name === this.veeam.name, got);
  }

  async create(): Promise<void> {
    [this.home, this.newest] = await this.choose();
    // In the same resource group, which must exist already.
    const group = this.home.name.split("/").at(-1)!.split("~")[0];
    const request = CreateCollectionRequest.fromPartial({
      parent: "backends/azure",
      collectionId: `${group}~client-typescript`,
      collection: { location: REGION, source: this.home.name },
    });
    this.target = await this.call(this.service.createCollection, request);
    const { name, source, location } = this.target;
    this.check("create: the requested id and source",
      name === `backends/azure/collections/${request.collectionId}` && source === this.home.name && location === REGION,
      this.target);
    const again = await this.call(this.service.createCollection, request);
    this.check("create: repeated, the same response", isDeepStrictEqual(again, this.target), again);
  }

  /** A collection whose source is a virtual machine, and the newest usable point in it. */
  async choose(): Promise<[Collection, RestorePoint]> {
    const request = ListCollectionsRequest.fromPartial({ parent: "backends/azure" });
    do {
      const page = await this.call(this.service.listCollections, request);
      for (const home of page.collections) {
        const ofMachine = home.source.startsWith("/subscriptions/");
        if (!ofMachine || home.location === REGION || /azurebackup/i.test(home.name)) continue;
        const newest = await this.call(this.service.list, ListRequest.fromPartial({
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
      const response = await this.call(this.service.copy, { ...request, validateOnly });
      return [response.restorePoint!, response];
    };
    const [planned, trial] = await send(true);
    const missing = await this.errorOf(this.service.get, GetRequest.fromPartial({ name: planned.name }));
    this.check("copy: validate_only writes nothing",
      trial.resumeToken === "" && missing.code === status.NOT_FOUND, missing);

    const [point, { resumeToken }] = await send(false);
    this.copied = point;
    this.resumeToken = resumeToken;
    this.check("copy: the name that validate_only returned",
      point.name === planned.name && point.name.startsWith(`${this.target.name}/restorePoints/`), point.name);
    this.check("copy: its source", point.sourceRestorePoint === this.newest.name, point);
    this.check("copy: a resume token", resumeToken !== "", point);
    const [again] = await send(false);
    this.check("copy: repeated, the same point", again.uid === point.uid, again);
  }

  async watch(): Promise<void> {
    const request = WatchStatusRequest.fromPartial({ names: [this.copied.name], resumeToken: this.resumeToken });
    const stream = this.service.watchStatus(request, new Metadata(), within(WATCH_SECONDS));
    let end: StatusObject | undefined;
    stream.on("status", (status: StatusObject) => { end = status; });
    const events: WatchStatusResponse[] = [];
    for await (const event of stream) events.push(event); // until the gateway ends the stream

    this.check("watch: the gateway ends the stream with OK", end?.code === status.OK, end);
    const kinds = events.map((event) => event.event);
    this.check("watch: SNAPSHOT, then SYNCED",
      kinds[0] === Event.SNAPSHOT && kinds.indexOf(Event.SYNCED) === 1 && kinds.lastIndexOf(Event.SYNCED) === 1,
      kinds);
    const points = events.flatMap((event) => event.restorePoint ?? []);
    const last = points.at(-1);
    this.check("watch: until READY", last?.name === this.copied.name && last.state === State.READY, last);
    const usable = points.map((point) => point.usable);
    this.check("watch: usable at the end and never before",
      usable.at(-1) === true && !usable.slice(0, -1).includes(true), usable);
    const percents = points.flatMap((point) => point.copyProgressPercent ?? []);
    this.check("watch: the percentage never decreases",
      percents.at(-1) === 100 && percents.every((percent, i) => i === 0 || percent >= percents[i - 1]!), percents);
  }

  async errors(): Promise<void> {
    const malformed = await this.errorOf(this.service.get, GetRequest.fromPartial({ name: "backends/azure/no-such-thing" }));
    const fields = malformed.badRequest?.fieldViolations.map((violation) => violation.field);
    this.check("errors: a malformed name names the field",
      malformed.code === status.INVALID_ARGUMENT && isDeepStrictEqual(fields, ["name"]), malformed);
    this.check("errors: a malformed name has its reason",
      malformed.info?.reason === "INVALID_NAME" && malformed.info.domain === "restorepoint.v1", malformed);

    const unsupported = await this.errorOf(this.service.copy, CopyRequest.fromPartial({
      source: this.veeam.name, destination: "backends/veeam/collections/elsewhere",
    }));
    this.check("errors: a copy at Veeam is not supported",
      unsupported.code === status.UNIMPLEMENTED && unsupported.info?.reason === "CAPABILITY_NOT_SUPPORTED", unsupported);
    this.check("errors: it names the backend and the capability",
      isDeepStrictEqual(unsupported.info?.metadata, { backend: "veeam", capability: "copy" }), unsupported);

    const name = `${this.home.name}/restorePoints/absent`;
    const absent = await this.errorOf(this.service.get, GetRequest.fromPartial({ name }));
    this.check("errors: an absent point is NOT_FOUND and is named",
      absent.code === status.NOT_FOUND && absent.resource?.resourceName === name, absent);
  }

  /** The code and the decoded details of a call that must fail. */
  async errorOf<Request, Response>(method: Unary<Request, Response>, request: Request) {
    const error = await this.call(method, request).then(
      () => { throw new Error("expected an error, not a response"); },
      (error: ServiceError) => error,
    );
    // grpc-js does not decode the details: the trailer holds a serialized google.rpc.Status.
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
  console.error("usage: node client.js HOST:PORT");
  process.exit(1);
}
const service = new RestorePointServiceClient(address, credentials.createInsecure());
const client = new Client(service);
await client.run();
service.close();
console.log(`typescript: ${client.passed} passed, ${client.failed} failed`);
process.exitCode = client.failed > 0 ? 1 : 0;
