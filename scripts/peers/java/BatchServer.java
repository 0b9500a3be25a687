import com.alpha.backend.grpc.EmbeddingStreamServiceGrpc;
import com.alpha.backend.grpc.IngestDataRequest;
import com.alpha.backend.grpc.IngestDataResponse;
import com.alpha.backend.grpc.IngestMetadata;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.io.PrintWriter;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A Batch Server in Java, as small as it can be: takes IngestDataStream, and writes each row that it was given as a line of
 * JSON to DIR/DOMAIN.jsonl, in the form of {@link Lines}.
 *
 * <p>Usage: BatchServer DIR. Listens on a free port of 127.0.0.1 and prints which.
 */
public final class BatchServer extends EmbeddingStreamServiceGrpc.EmbeddingStreamServiceImplBase {
    private final Path folder;

    private BatchServer(Path folder) {
        this.folder = folder;
    }

    public static void main(String[] args) throws Exception {
        Server server = NettyServerBuilder.forAddress(new InetSocketAddress("127.0.0.1", 0))
                .addService(new BatchServer(Path.of(args[0])))
                .addService(new JsonIngest(Path.of(args[0])))
                .maxInboundMessageSize(16 << 20)
                .build()
                .start();
        System.out.println("listening on 127.0.0.1:" + server.getPort());
        server.awaitTermination();
    }

    @Override
    public StreamObserver<IngestDataRequest> ingestDataStream(StreamObserver<IngestDataResponse> answer) {
        return new Run(folder, answer);
    }

    /** One run of a client: metadata first, then chunks of its kind. */
    private static final class Run implements StreamObserver<IngestDataRequest> {
        private final Path folder;
        private final StreamObserver<IngestDataResponse> answer;
        private final List<String> lines = new ArrayList<>();
        private IngestMetadata metadata;
        private int chunks;
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
            if (request.hasMetadata()) {
                metadata = request.getMetadata();
            }
            if (metadata == null) {
                refuse("a chunk before the metadata");
                return;
            }
            switch (request.getChunkDataCase()) {
                case RECRUIT_CHUNK:
                    begin("recruit");
                    request.getRecruitChunk().getRowsList().forEach(row -> lines.add(Lines.of(row)));
                    break;
                case CANDIDATE_CHUNK:
                    begin("candidate");
                    request.getCandidateChunk().getRowsList().forEach(row -> lines.add(Lines.of(row)));
                    break;
                case SKILL_EMBEDDING_DIC_CHUNK:
                    begin("skill_embedding_dic");
                    request.getSkillEmbeddingDicChunk().getRowsList().forEach(row -> lines.add(Lines.of(row)));
                    break;
                default:
                    break;
            }
        }

        private void begin(String domain) {
            chunks++;
            if (!metadata.getDomain().equals(domain)) {
                refuse("a chunk of " + domain + " in a run of " + metadata.getDomain());
            }
        }

        private void refuse(String reason) {
            refused = true;
            answer.onError(Status.INVALID_ARGUMENT.withDescription(reason).asRuntimeException());
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
            Path file = folder.resolve(metadata.getDomain() + ".jsonl");
            try (PrintWriter out = new PrintWriter(Files.newBufferedWriter(file, StandardCharsets.UTF_8))) {
                out.println("{\"vector_dimension\":" + metadata.getVectorDimension() + "}");
                lines.forEach(out::println);
            } catch (IOException error) {
                answer.onError(Status.INTERNAL.withDescription(error.toString()).asRuntimeException());
                return;
            }
            answer.onNext(IngestDataResponse.newBuilder().setStatus("success").setMessage("OK")
                    .setTotalRowsReceived(lines.size()).setTotalChunksReceived(chunks).build());
            answer.onCompleted();
        }
    }
}
