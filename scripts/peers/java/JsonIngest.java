import com.alpha.backend.grpc.json.EmbeddingStreamServiceGrpc;
import com.alpha.backend.grpc.json.IngestDataRequest;
import com.alpha.backend.grpc.json.IngestDataResponse;
import com.alpha.backend.grpc.json.IngestMetadata;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/**
 * The dialect json-v1: writes what the metadata said and each chunk's text as a line of DIR/DOMAIN.json.jsonl, with vectors
 * as the bits of the floats that Java reads from their text.
 */
final class JsonIngest extends EmbeddingStreamServiceGrpc.EmbeddingStreamServiceImplBase {
    /** Inside a JSON string the quote would stand behind a backslash. */
    private static final Pattern VECTOR = Pattern.compile("(_vector\":)\\[([^\\]\"]*)\\]");

    private final Path folder;

    JsonIngest(Path folder) {
        this.folder = folder;
    }

    @Override
    public StreamObserver<IngestDataRequest> ingestDataStream(StreamObserver<IngestDataResponse> answer) {
        return new Run(folder, answer);
    }

    /** One run: metadata selects, and a second one would select anew, so it is refused. */
    private static final class Run implements StreamObserver<IngestDataRequest> {
        private final Path folder;
        private final StreamObserver<IngestDataResponse> answer;
        private final List<String> lines = new ArrayList<>();
        private IngestMetadata metadata;
        private boolean refused;

        Run(Path folder, StreamObserver<IngestDataResponse> answer) {
            this.folder = folder;
            this.answer = answer;
        }

        @Override
        public void onNext(IngestDataRequest request) {
            if (refused) {
                return;
            }
            if (request.hasMetadata() == (metadata != null)) {
                refused = true;
                answer.onError(Status.INTERNAL.withDescription("metadata comes once, and first").asRuntimeException());
            } else if (request.hasMetadata()) {
                metadata = request.getMetadata();
            } else {
                String text = request.getDataChunk().toStringUtf8();
                lines.add(VECTOR.matcher(text).replaceAll(found -> found.group(1) + bits(found.group(2))));
            }
        }

        private static String bits(String floats) {
            StringBuilder out = new StringBuilder("\"");
            for (String text : floats.split(",")) {
                out.append(String.format("%08x", Float.floatToRawIntBits(Float.parseFloat(text))));
            }
            return out.append('"').toString();
        }

        @Override
        public void onError(Throwable error) {
            System.err.println("the client went away: " + error);
        }

        @Override
        public void onCompleted() {
            if (refused) {
                return;
            }
            int chunks = lines.size();
            lines.add(0, "{\"vector_dimension\":" + metadata.getVectorDimension() + "}");
            try {
                Files.write(folder.resolve(metadata.getDomain() + ".json.jsonl"), lines, StandardCharsets.UTF_8);
            } catch (IOException error) {
                answer.onError(Status.INTERNAL.withDescription(error.toString()).asRuntimeException());
                return;
            }
            answer.onNext(IngestDataResponse.newBuilder().setSuccess(true).setReceivedChunks(chunks).setMessage("OK").build());
            answer.onCompleted();
        }
    }
}
