import com.alpha.backend.grpc.EmbeddingStreamServiceGrpc;
import com.alpha.backend.grpc.RecruitRow;
import com.alpha.backend.grpc.RowChunk;
import com.alpha.backend.grpc.StreamEmbeddingRequest;
import io.grpc.ManagedChannel;
import io.grpc.netty.NettyChannelBuilder;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;

/**
 * The Batch Server's pulling side, as small as it can be: asks for every recruit behind a checkpoint, and writes each row
 * that it was given as a line of JSON, in the form of {@link Lines}.
 *
 * <p>Usage: Puller PORT CHUNK_SIZE CHECKPOINT FILE. Prints the chunks and rows that came.
 */
public final class Puller {
    private Puller() {}

    public static void main(String[] args) throws Exception {
        ManagedChannel channel = NettyChannelBuilder.forAddress("127.0.0.1", Integer.parseInt(args[0]))
                .usePlaintext().build();
        StreamEmbeddingRequest request = StreamEmbeddingRequest.newBuilder()
                .setChunkSize(Integer.parseInt(args[1])).setLastProcessedUuid(args[2]).build();
        int chunks = 0;
        int rows = 0;
        try (PrintWriter out = new PrintWriter(Files.newBufferedWriter(Path.of(args[3]), StandardCharsets.UTF_8))) {
            Iterator<RowChunk> answer = EmbeddingStreamServiceGrpc.newBlockingStub(channel).streamEmbedding(request);
            while (answer.hasNext()) {
                chunks++;
                for (RecruitRow row : answer.next().getRowsList()) {
                    rows++;
                    out.println(Lines.of(row));
                }
            }
        } finally {
            channel.shutdownNow();
        }
        System.out.println(chunks + " " + rows);
    }
}
