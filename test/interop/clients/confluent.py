"""confluent-kafka (the newest librdkafka): every codec, idempotence, groups, offsets by time, admin. Prints one JSON object."""
import json
import sys

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, NewPartitions, NewTopic

address, prefix = sys.argv[1:3]
common = {"bootstrap.servers": address}
transcript = {}
admin = AdminClient(common)


def outcome(futures):
    result = {}
    for name, future in futures.items():
        try:
            future.result(30)
            result[str(name)] = "ok"
        except Exception as error:  # the code is what is compared
            result[str(name)] = error.args[0].name() if hasattr(error.args[0], "name") else str(error)
    return result


main = prefix + "-main"
transcript["create"] = outcome(admin.create_topics([NewTopic(main, 2, 1, config={"retention.ms": "3600000"})]))
transcript["create twice"] = outcome(admin.create_topics([NewTopic(main, 2, 1)]))
transcript["create bad config"] = outcome(admin.create_topics([NewTopic(prefix + "-bad", 1, 1, config={"nonsense": "1"})]))
transcript["create bad name"] = outcome(admin.create_topics([NewTopic("a b", 1, 1)]))

for codec in ["none", "gzip", "snappy", "lz4", "zstd"]:
    delivered = []
    producer = Producer({**common, "compression.type": codec, "enable.idempotence": True, "linger.ms": 50})
    for index in range(100):
        producer.produce(
            prefix + "-" + codec,
            f"value {index} " + "x" * 100,
            key=f"k{index % 9}",
            timestamp=1700000000000 + index,
            headers={"codec": codec},
            callback=lambda error, message: delivered.append((str(error), message.partition(), message.offset())),
        )
    transcript["unsent " + codec] = producer.flush(30)
    transcript["delivered " + codec] = delivered

for acks in ["0", "1", "all"]:
    errors = []
    producer = Producer({**common, "acks": acks})
    for index in range(10):
        producer.produce(main, f"{acks} {index}", partition=0, timestamp=1700000000000 + index,
                         callback=lambda error, message: errors.append(str(error)))
    producer.flush(30)
    transcript["acks " + acks] = errors

producer = Producer({**common, "message.max.bytes": 3000000})
refused = []
producer.produce(main, "x" * 1500000, partition=1, callback=lambda error, message: refused.append(error.name()))
producer.flush(30)
transcript["too large"] = refused


def consume(topic, group, count):
    consumer = Consumer({**common, "group.id": group, "auto.offset.reset": "earliest", "enable.auto.commit": False,
                         "session.timeout.ms": 10000})
    consumer.subscribe([topic])
    seen = []
    while len(seen) < count:
        message = consumer.poll(30)
        if message is None or message.error():
            seen.append("error " + str(message and message.error()))
            break
        seen.append([message.partition(), message.offset(), (message.key() or b"").decode(), message.value().decode(),
                     message.timestamp()[1], [[k, v.decode()] for k, v in message.headers() or []]])
    consumer.commit(asynchronous=False)
    partitions = [TopicPartition(topic, each) for each in consumer.list_topics(topic).topics[topic].partitions]
    committed = [[each.partition, each.offset] for each in consumer.committed(partitions, timeout=30)]
    consumer.close()
    return [seen, committed]


transcript["consume zstd"] = consume(prefix + "-zstd", prefix + "-g1", 100)
transcript["consume lz4"] = consume(prefix + "-lz4", prefix + "-g2", 100)

consumer = Consumer({**common, "group.id": prefix + "-g3"})
lookup = [TopicPartition(prefix + "-gzip", 0, 1700000000042), TopicPartition(main, 1, 1700000000000)]
transcript["by time"] = [[each.topic, each.partition, each.offset] for each in consumer.offsets_for_times(lookup, timeout=30)]
transcript["watermarks"] = list(consumer.get_watermark_offsets(TopicPartition(main, 0), timeout=30))
consumer.assign([TopicPartition(prefix + "-snappy", 0, 90)])
tail = [consumer.poll(30) for _ in range(10)]
transcript["assigned tail"] = [[each.offset(), each.value().decode()[:8]] for each in tail]
consumer.close()

resource = ConfigResource(ConfigResource.Type.TOPIC, main)
configs = list(admin.describe_configs([resource]).values())[0].result(30)
transcript["configs"] = {name: configs[name].value for name in ["retention.ms", "cleanup.policy", "max.message.bytes"]}
groups = admin.list_consumer_groups().result(30)
transcript["groups"] = sorted([each.group_id, each.state.name] for each in groups.valid if each.group_id.startswith(prefix))
described = admin.describe_consumer_groups([prefix + "-g1"])
transcript["described"] = [[f.result(30).state.name, len(f.result(30).members)] for f in described.values()]
transcript["partitions"] = outcome(admin.create_partitions([NewPartitions(main, 4)]))
transcript["delete groups"] = outcome(admin.delete_consumer_groups([prefix + "-g1"]))
transcript["delete"] = outcome(admin.delete_topics([main, prefix + "-unknown"]))
cluster = admin.describe_cluster().result(30)
transcript["cluster"] = [len(cluster.nodes), cluster.controller is not None, len(cluster.cluster_id) > 0]
print(json.dumps(transcript))
