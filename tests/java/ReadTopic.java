import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.zip.CRC32;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * Reads a topic with the Java consumer, which checks the checksum of every batch. Prints a line for
 * each record, by partition and offset: partition, timestamp, checksum of key, headers and value.
 *
 * <pre>scripts/kafka java tests/java/ReadTopic.java SERVERS TOPIC COUNT</pre>
 */
class ReadTopic {
    public static void main(String[] arguments) {
        String servers = arguments[0];
        String topic = arguments[1];
        int count = Integer.parseInt(arguments[2]);
        Map<String, Object> settings =
                Map.of(
                        "bootstrap.servers", servers,
                        "auto.offset.reset", "earliest",
                        "check.crcs", "true");
        var deserializer = new ByteArrayDeserializer();
        Map<Integer, List<String>> lines = new TreeMap<>();
        try (var consumer = new KafkaConsumer<>(settings, deserializer, deserializer)) {
            var partitions = consumer.partitionsFor(topic).stream();
            consumer.assign(
                    partitions.map(known -> new TopicPartition(topic, known.partition())).toList());
            long deadline = System.nanoTime() + Duration.ofMinutes(5).toNanos();
            for (int read = 0; read < count; ) {
                if (System.nanoTime() > deadline) {
                    throw new IllegalStateException(read + " of " + count + " records came");
                }
                for (var record : consumer.poll(Duration.ofMillis(200))) {
                    read++;
                    lines.computeIfAbsent(record.partition(), ignored -> new ArrayList<>())
                            .add(line(record));
                }
            }
        }
        var out = new StringBuilder();
        lines.values().forEach(all -> all.forEach(line -> out.append(line).append('\n')));
        System.out.print(out);
    }

    private static String line(ConsumerRecord<byte[], byte[]> record) {
        var checksum = new CRC32();
        add(checksum, record.key());
        for (Header header : record.headers()) {
            add(checksum, header.key().getBytes(java.nio.charset.StandardCharsets.UTF_8));
            add(checksum, header.value());
        }
        add(checksum, record.value());
        return record.partition() + " " + record.timestamp() + " " + checksum.getValue();
    }

    /** With its length before it, which is -1 without a value. */
    private static void add(CRC32 checksum, byte[] part) {
        int length = part == null ? -1 : part.length;
        checksum.update(ByteBuffer.allocate(4).putInt(length).flip());
        if (part != null) {
            checksum.update(part);
        }
    }
}
