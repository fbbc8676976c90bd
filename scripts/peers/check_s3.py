"""Measures whether an S3-compatible server keeps the promises Floe's journal stands on.

    check_s3.py ENDPOINT ACCESS_KEY SECRET_KEY REGION BUCKET [RACES]

The one that matters most is put-if-absent under a race: of N simultaneous `PUT If-None-Match: *` for one new key,
exactly one may answer 200, all others 412 (or 409, which tells the writer to ask again), and the object read afterwards
must be the winner's. Writers run in separate processes so that requests truly overlap; each race is released by a
barrier. One JSON line per check; the exit code is 0 only when all hold.
"""

import json
import multiprocessing as mp
import sys
import time

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

ENDPOINT, ACCESS, SECRET, REGION, BUCKET = sys.argv[1:6]
RACES = int(sys.argv[6]) if len(sys.argv) > 6 else 500
WRITERS = 4
failed = False


def client():
    return boto3.client(
        "s3",
        endpoint_url=ENDPOINT,
        aws_access_key_id=ACCESS,
        aws_secret_access_key=SECRET,
        region_name=REGION,
        config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}),
    )


def status(call, **arguments):
    try:
        return call(**arguments)["ResponseMetadata"]["HTTPStatusCode"]
    except ClientError as error:
        return error.response["ResponseMetadata"]["HTTPStatusCode"]


def report(check, ok, **facts):
    global failed
    failed = failed or not ok
    print(json.dumps({"check": check, "ok": bool(ok), **facts}), flush=True)


def race_writer(writer, size, prefix, barrier, out):
    s3 = client()
    s3.list_buckets()  # the connection is open before the first race
    answers = []
    for race in range(RACES):
        body = bytes([writer + 65]) * size
        barrier.wait()
        answers.append(status(s3.put_object, Bucket=BUCKET, Key=f"{prefix}/{race:06d}", Body=body, IfNoneMatch="*"))
    out.put((writer, answers))


def races(name, size, prefix):
    context = mp.get_context("fork")
    barrier, out = context.Barrier(WRITERS), context.Queue()
    writers = [
        context.Process(target=race_writer, args=(w, size, prefix, barrier, out)) for w in range(WRITERS)
    ]
    start = time.monotonic()
    for writer in writers:
        writer.start()
    answers = dict(out.get() for _ in writers)
    for writer in writers:
        writer.join()
    s3 = client()
    no_winner = many_winners = wrong_body = other = 0
    winners = [0] * WRITERS
    for race in range(RACES):
        codes = [answers[w][race] for w in range(WRITERS)]
        won = [w for w, code in enumerate(codes) if code == 200]
        other += sum(code not in (200, 409, 412) for code in codes)
        no_winner += not won
        many_winners += len(won) > 1
        if len(won) == 1:
            winners[won[0]] += 1
            body = s3.get_object(Bucket=BUCKET, Key=f"{prefix}/{race:06d}")["Body"].read()
            wrong_body += body != bytes([won[0] + 65]) * size
    ok = not (no_winner or many_winners or wrong_body or other)
    report(
        name, ok, races=RACES, writers=WRITERS, bytes=size, wins_per_writer=winners, no_winner=no_winner,
        many_winners=many_winners, wrong_body=wrong_body, other_status=other,
        conflict_409=sum(code == 409 for codes in answers.values() for code in codes),
        seconds=round(time.monotonic() - start, 1),
    )


def main():
    s3 = client()
    try:
        s3.create_bucket(Bucket=BUCKET)
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("BucketAlreadyOwnedByYou", "BucketAlreadyExists"):
            raise
    run = f"check-{time.time_ns()}"

    first = status(s3.put_object, Bucket=BUCKET, Key=f"{run}/one", Body=b"first", IfNoneMatch="*")
    second = status(s3.put_object, Bucket=BUCKET, Key=f"{run}/one", Body=b"second", IfNoneMatch="*")
    kept = s3.get_object(Bucket=BUCKET, Key=f"{run}/one")["Body"].read() == b"first"
    report("existing object", first == 200 and second == 412 and kept, first=first, second=second, kept=kept)

    races("race, small objects", 64, f"{run}/race-small")
    races("race, 1 MiB objects", 1 << 20, f"{run}/race-large")

    s3.put_object(Bucket=BUCKET, Key=f"{run}/gone", Body=b"x")
    s3.delete_object(Bucket=BUCKET, Key=f"{run}/gone")
    again = status(s3.put_object, Bucket=BUCKET, Key=f"{run}/gone", Body=b"y", IfNoneMatch="*")
    report("put-if-absent after delete", again == 200, status=again)

    etag = s3.put_object(Bucket=BUCKET, Key=f"{run}/match", Body=b"1")["ETag"]
    stale = status(s3.put_object, Bucket=BUCKET, Key=f"{run}/match", Body=b"2", IfMatch='"0123456789abcdef0123456789abcdef"')
    fresh = status(s3.put_object, Bucket=BUCKET, Key=f"{run}/match", Body=b"2", IfMatch=etag)
    report("if-match", stale == 412 and fresh == 200, stale=stale, fresh=fresh)

    data = bytes(range(256)) * 16
    s3.put_object(Bucket=BUCKET, Key=f"{run}/range", Body=data)
    middle = s3.get_object(Bucket=BUCKET, Key=f"{run}/range", Range="bytes=1000-1999")
    suffix = s3.get_object(Bucket=BUCKET, Key=f"{run}/range", Range="bytes=-100")["Body"].read()
    beyond = status(s3.get_object, Bucket=BUCKET, Key=f"{run}/range", Range="bytes=9000-9999")
    report(
        "ranged get",
        middle["Body"].read() == data[1000:2000] and suffix == data[-100:] and beyond == 416
        and middle["ContentRange"] == "bytes 1000-1999/4096",
        beyond_end=beyond,
    )

    names = [f"{run}/list/{i:04d}" for i in range(25)] + [f"{run}/list/sub/{i}" for i in range(3)]
    names += [f"{run}/list/{odd}" for odd in ("with space", "plus+and%25", "ünïcödé=1", "a=b/c")]
    for name in names:
        s3.put_object(Bucket=BUCKET, Key=name, Body=b"")
    pages, token, listed = 0, {}, []
    while True:
        page = s3.list_objects_v2(Bucket=BUCKET, Prefix=f"{run}/list/", MaxKeys=10, **token)
        pages, listed = pages + 1, listed + [entry["Key"] for entry in page.get("Contents", [])]
        if not page["IsTruncated"]:
            break
        token = {"ContinuationToken": page["NextContinuationToken"]}
    in_byte_order = listed == sorted(listed, key=lambda key: key.encode())
    report(
        "list v2, pages", sorted(listed) == sorted(names) and in_byte_order, keys=len(listed), pages=pages,
        in_byte_order=in_byte_order,
    )
    after = s3.list_objects_v2(Bucket=BUCKET, Prefix=f"{run}/list/0", StartAfter=f"{run}/list/0019")
    report("list v2, start-after", [e["Key"][-4:] for e in after.get("Contents", [])] == ["0020", "0021", "0022", "0023", "0024"])
    folders = s3.list_objects_v2(Bucket=BUCKET, Prefix=f"{run}/list/", Delimiter="/")
    report("list v2, delimiter", [p["Prefix"] for p in folders.get("CommonPrefixes", [])] == [f"{run}/list/a=b/", f"{run}/list/sub/"])

    # A name may be both an object and the beginning of other names; a server on a file system cannot hold both.
    under = status(s3.put_object, Bucket=BUCKET, Key=f"{run}/list/0000/child", Body=b"")
    print(json.dumps({"note": "object below an object's name", "status": under}))

    gone = s3.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": n} for n in [*names, f"{run}/absent"]]})
    left = s3.list_objects_v2(Bucket=BUCKET, Prefix=f"{run}/list/").get("KeyCount", 0)
    report("delete objects", not gone.get("Errors") and left == (1 if under == 200 else 0), left=left)

    part = b"p" * (5 << 20)
    upload = s3.create_multipart_upload(Bucket=BUCKET, Key=f"{run}/multi")["UploadId"]
    parts = []
    for number, body in enumerate([part, part, b"tail"], start=1):
        answer = s3.upload_part(Bucket=BUCKET, Key=f"{run}/multi", UploadId=upload, PartNumber=number, Body=body)
        parts.append({"ETag": answer["ETag"], "PartNumber": number})
    s3.complete_multipart_upload(Bucket=BUCKET, Key=f"{run}/multi", UploadId=upload, MultipartUpload={"Parts": parts})
    read = s3.get_object(Bucket=BUCKET, Key=f"{run}/multi")["Body"].read()
    report("multipart", read == part + part + b"tail", bytes=len(read))

    upload = s3.create_multipart_upload(Bucket=BUCKET, Key=f"{run}/multi")["UploadId"]
    answer = s3.upload_part(Bucket=BUCKET, Key=f"{run}/multi", UploadId=upload, PartNumber=1, Body=b"other")
    refused = status(
        s3.complete_multipart_upload, Bucket=BUCKET, Key=f"{run}/multi", UploadId=upload, IfNoneMatch="*",
        MultipartUpload={"Parts": [{"ETag": answer["ETag"], "PartNumber": 1}]},
    )
    report("multipart, put-if-absent on complete", refused == 412, status=refused)
    aborted = status(s3.abort_multipart_upload, Bucket=BUCKET, Key=f"{run}/multi", UploadId=upload)
    report("multipart, abort", aborted == 204, status=aborted)
    sys.exit(1 if failed else 0)


main()
