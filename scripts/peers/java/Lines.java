import com.alpha.backend.grpc.CandidateRow;
import com.alpha.backend.grpc.RecruitRow;
import com.alpha.backend.grpc.SkillEmbeddingDicRow;
import java.util.ArrayList;
import java.util.List;

/** Rows as lines of JSON, with the vector as the bits of its floats in hexadecimal digits. */
final class Lines {
    private Lines() {}

    static String of(RecruitRow row) {
        return line("id", text(row.getId()), "company_name", text(row.getCompanyName()),
                "exp_years", Integer.toString(row.getExpYears()), "english_level", text(row.getEnglishLevel()),
                "primary_keyword", text(row.getPrimaryKeyword()), "vector", bits(row.getVectorList()));
    }

    static String of(CandidateRow row) {
        return line("candidate_id", text(row.getCandidateId()), "position_category", text(row.getPositionCategory()),
                "experience_years", Integer.toString(row.getExperienceYears()),
                "original_resume", text(row.getOriginalResume()), "skills", texts(row.getSkillsList()),
                "vector", bits(row.getVectorList()));
    }

    static String of(SkillEmbeddingDicRow row) {
        return line("skill", text(row.getSkill()), "position_category", text(row.getPositionCategory()),
                "vector", bits(row.getVectorList()));
    }

    private static String line(String... namesAndValues) {
        StringBuilder out = new StringBuilder("{");
        for (int i = 0; i < namesAndValues.length; i += 2) {
            out.append(i == 0 ? "" : ",").append('"').append(namesAndValues[i]).append("\":").append(namesAndValues[i + 1]);
        }
        return out.append('}').toString();
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
}
