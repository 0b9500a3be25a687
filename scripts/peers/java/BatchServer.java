import com.alpha.backend.grpc.CandidateRow;
import com.alpha.backend.grpc.EmbeddingStreamServiceGrpc;
import com.alpha.backend.grpc.IngestDataRequest;
import com.alpha.backend.grpc.IngestDataResponse;
import com.alpha.backend.grpc.IngestMetadata;
import com.alpha.backend.grpc.RecruitRow;
import com.alpha.backend.grpc.SkillEmbeddingDicRow;
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
 * JSON to DIR/DOMAIN.jsonl, with the vector as the bits of its floats in hexadecimal digits.
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
                    request.getRecruitChunk().getRowsList().forEach(this::add);
                    break;
                case CANDIDATE_CHUNK:
                    begin("candidate");
                    request.getCandidateChunk().getRowsList().forEach(this::add);
                    break;
                case SKILL_EMBEDDING_DIC_CHUNK:
                    begin("skill_embedding_dic");
                    request.getSkillEmbeddingDicChunk().getRowsList().forEach(this::add);
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

        private void add(RecruitRow row) {
            line("id", text(row.getId()), "company_name", text(row.getCompanyName()),
                    "exp_years", Integer.toString(row.getExpYears()), "english_level", text(row.getEnglishLevel()),
                    "primary_keyword", text(row.getPrimaryKeyword()), "vector", bits(row.getVectorList()));
        }

        private void add(CandidateRow row) {
            line("candidate_id", text(row.getCandidateId()), "position_category", text(row.getPositionCategory()),
                    "experience_years", Integer.toString(row.getExperienceYears()),
                    "original_resume", text(row.getOriginalResume()), "skills", texts(row.getSkillsList()),
                    "vector", bits(row.getVectorList()));
        }

        private void add(SkillEmbeddingDicRow row) {
            line("skill", text(row.getSkill()), "position_category", text(row.getPositionCategory()),
                    "vector", bits(row.getVectorList()));
        }

        private void line(String... namesAndValues) {
            StringBuilder out = new StringBuilder("{");
            for (int i = 0; i < namesAndValues.length; i += 2) {
                out.append(i == 0 ? "" : ",").append('"').append(namesAndValues[i]).append("\":").append(namesAndValues[i + 1]);
            }
            lines.add(out.append('}').toString());
        }

        private static String text(String value) {
            StringBuilder out = new StringBuilder("\"");
            for (char c : value.toCharArray()) {
                if (c == '"' || c == '\\' || c < ' ' || c > '~') {
                    out.append(String.format("\\u%04x", (int) c));
                } else {
                    out.append(c);
                }
            }
            return out.append('"').toString();
        }

        private static String texts(List<String> values) {
            List<String> quoted = new ArrayList<>();
            values.forEach(value -> quoted.add(text(value)));
            return "[" + String.join(",", quoted) + "]";
        }

        private static String bits(List<Float> vector) {
            StringBuilder out = new StringBuilder("\"");
            vector.forEach(value -> out.append(String.format("%08x", Float.floatToRawIntBits(value))));
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
