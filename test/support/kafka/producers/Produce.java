import java.util.Arrays;
import java.util.Map;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringSerializer;

/** Publishes codec-0 to codec-(count - 1) in one batch, with Kafka's own producer. */
class Produce {
  public static void main(String[] args) throws Exception {
    var count = Integer.parseInt(args[2]);
    for (var codec : Arrays.asList(args).subList(3, args.length)) {
      Map<String, Object> settings =
          Map.of(
              "bootstrap.servers", args[0],
              "compression.type", codec,
              "batch.size", 1_000_000,
              "linger.ms", 1_000);
      var text = new StringSerializer();
      try (var producer = new KafkaProducer<String, String>(settings, text, text)) {
        for (var index = 0; index < count; index += 1) {
          producer.send(new ProducerRecord<>(args[1], 0, "key", codec + "-" + index));
        }
        producer.flush();
      }
    }
  }
}
