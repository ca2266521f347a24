#include "tests/unit/outputs/sample_case.h"

#include <cmath>

#include "tests/unit/outputs/dcmtk/ct_files.h"

namespace retromass::test {
namespace {

double sum_of_squares(double x, double y, double z) { return x * x + y * y + z * z; }

PatientPoint middle_of_mass(const BodyWithMass& body) { return {-0.1 * body.body_x_mm, 0.05 * body.body_y_mm, 0}; }

outputs::LesionResult measured(const ingest::CtSeries& ct, const BodyWithMass& body)
{
    outputs::LesionResult lesion;
    lesion.lesion = "T1";
    lesion.status = response::LesionStatus::measured;
    lesion.tracking_uid = outputs::derived_uid("tracking sample T1");
    lesion.mask = mass_of(body, ct.volume.geometry);
    auto values = measurement::measure(*lesion.mask, ct.volume.geometry, &ct.volume.hu);
    RETROMASS_ASSERT(values.ok(), "the sample mass has voxels");
    lesion.measurements = std::move(values).value();
    segmentation::Prompt prompt;
    prompt.lines.push_back({lesion.measurements->long_axis.a, lesion.measurements->long_axis.b});
    lesion.prompt = prompt;
    lesion.reader_long_axis = Length::recorded(0.95 * lesion.measurements->long_axis.exact_mm);
    return lesion;
}

response::RecistTimepoint row(const std::string& timepoint, int line, const std::string& period, response::Category category, Length sum)
{
    response::RecistTimepoint out;
    out.timepoint = timepoint;
    out.line = line;
    out.period = period;
    out.sum = sum;
    out.new_lesions = response::NewLesions::none;
    out.target = category;
    out.overall = {"recist-1.1", category, "RECIST 1.1 4.3.1", {{"sum", sum.text() + " mm"}}, "The sum of diameters is " + sum.text() + " mm.", {}};
    return out;
}

}  // namespace

CtVolume body_with_mass(const BodyWithMass& body)
{
    const Dimensions size{static_cast<int>(1.15 * body.body_x_mm / body.pixel_mm), static_cast<int>(1.2 * body.body_y_mm / body.pixel_mm), static_cast<int>(body.body_z_mm / body.slice_mm)};
    CtVolume ct{VolumeGeometry::axial(size, body.pixel_mm, body.pixel_mm, body.slice_mm,
                                      {-body.pixel_mm * (size.columns - 1) / 2, -body.pixel_mm * (size.rows - 1) / 2, -body.slice_mm * (size.slices - 1) / 2}),
                Grid<std::int16_t>(size, -1000)};
    const auto mass = mass_of(body, ct.geometry);
    std::uint32_t state = 12345;  // a small generator of our own: the same pixels on every machine
    for (int k = 0; k < size.slices; ++k) {
        for (int r = 0; r < size.rows; ++r) {
            for (int c = 0; c < size.columns; ++c) {
                const auto p = ct.geometry.to_patient(Index{c, r, k});
                const double skin = sum_of_squares(2 * p.x / body.body_x_mm, 2 * p.y / body.body_y_mm, 0);
                if (skin > 1) continue;
                double hu = skin > 0.86 ? -100 : 30;                                                            // fat under the skin
                if (sum_of_squares((p.x + 95) / 60, (p.y + 15) / 70, (p.z - 90) / 70) < 1) hu = 105;             // liver, right and high
                if (sum_of_squares(p.x / 20, (p.y - 0.32 * body.body_y_mm) / 17, 0) < 1) hu = 420;               // spine, at the back
                if (mass.at(c, r, k)) hu = sum_of_squares((p.x - middle_of_mass(body).x) * 4 / body.mass_x_mm, p.y * 4 / body.mass_y_mm, p.z * 4 / body.mass_z_mm) < 1 ? 12 : 58;
                state = state * 1664525U + 1013904223U;
                if (body.noise) hu += static_cast<double>(state >> 24) / 8.0 - 16;
                ct.hu.at(c, r, k) = static_cast<std::int16_t>(std::lround(hu));
            }
        }
    }
    return ct;
}

Mask mass_of(const BodyWithMass& body, const VolumeGeometry& geometry)
{
    Mask mask(geometry.size());
    const auto middle = middle_of_mass(body);
    for (int k = 0; k < mask.size().slices; ++k) {
        for (int r = 0; r < mask.size().rows; ++r) {
            for (int c = 0; c < mask.size().columns; ++c) {
                const auto p = geometry.to_patient(Index{c, r, k}) - middle;
                mask.at(c, r, k) = sum_of_squares(2 * p.x / body.mass_x_mm, 2 * p.y / body.mass_y_mm, 2 * p.z / body.mass_z_mm) <= 1;
            }
        }
    }
    return mask;
}

outputs::CaseResult sample_case(const std::filesystem::path& folder, double pixel_mm, double slice_mm)
{
    outputs::CaseResult result;
    result.case_id = "RPS-001 <b>&\"bold\"";
    result.synthetic = true;
    result.lesions.push_back({"T1", response::Role::target, "retroperitoneum", "retroperitoneum", false});
    result.treatments.push_back({"surgery", 0, parse_date("2013-02-05"), parse_date("2013-02-05"), {"T1"}, false, "debulking"});
    result.treatments.push_back({"systemic", 1, parse_date("2013-03-24"), parse_date("2013-08-30"), {}, false, "doxorubicin, ifosfamide"});
    result.treatments.push_back({"radiotherapy", 0, parse_date("2013-07-10"), parse_date("2013-08-13"), {"T1"}, false, "50 Gy"});
    result.events.push_back({"last-contact", *parse_date("2014-09-01")});
    const struct { const char* id; const char* date; double x, y, z; } studies[] = {
        {"presentation", "2013-01-07", 230, 150, 300}, {"residual", "2013-02-05", 20, 20, 20}, {"day-38", "2013-03-15", 220, 140, 230},
        {"after-5-cycles", "2013-07-05", 80, 80, 130}};
    for (const auto& study : studies) {
        BodyWithMass body;
        body.mass_x_mm = study.x;
        body.mass_y_mm = study.y;
        body.mass_z_mm = study.z;
        body.pixel_mm = pixel_mm;
        body.slice_mm = slice_mm;
        outputs::TimepointResult timepoint;
        timepoint.id = study.id;
        timepoint.date = parse_date(study.date);
        timepoint.date_source = "acquisition date";
        timepoint.reader = "R1";
        timepoint.new_lesions = response::NewLesions::none;
        timepoint.ct = write_ct(folder / study.id, body_with_mass(body), std::string("sample ") + study.id, study.date);
        timepoint.lesions.push_back(measured(*timepoint.ct, body));
        result.timepoints.push_back(std::move(timepoint));
    }
    outputs::TimepointResult last;
    last.id = "after <i>radiotherapy</i>";
    last.date = parse_date("2013-09-10");
    outputs::LesionResult unseen;
    unseen.lesion = "T1";
    unseen.reason = "neither prompt nor status is given";
    last.lesions.push_back(unseen);
    result.timepoints.push_back(last);

    using response::Category;
    auto& assessment = result.assessment;
    const auto length = [&result](std::size_t i) { return result.timepoints[i].lesions[0].measurements->long_axis.recorded; };
    assessment.recist.push_back(row("residual", 0, "observation after surgery 2013-02-05", Category::none, length(1)));
    assessment.recist.back().is_baseline = true;
    assessment.recist.push_back(row("day-38", 0, "observation after surgery 2013-02-05", Category::pd, length(2)));
    assessment.recist.back().change_from_baseline_pct = 1000;
    assessment.recist.push_back(row("day-38", 1, "line 1", Category::none, length(2)));
    assessment.recist.back().is_baseline = true;
    assessment.recist.push_back(row("after-5-cycles", 1, "line 1", Category::pr, length(3)));
    assessment.recist.back().change_from_baseline_pct = -63.6;
    assessment.recist.back().change_from_nadir_pct = -63.6;
    assessment.recist.back().baseline_timepoint = "day-38";
    assessment.recist.back().confirmed = false;
    response::LineSummary line;
    line.line = 1;
    line.period = "line 1";
    line.best_overall_response = {"recist-1.1", Category::pr, "RECIST 1.1 4.4", {}, "Partial response at after-5-cycles.", {}};
    line.confirmed = false;
    line.best_response_date = parse_date("2013-07-05");
    line.pfs_months = 17.3;
    line.pfs_days = 526;
    line.pfs_start = parse_date("2013-03-24");
    line.pfs_text = "more than 17.3 months, censored at last contact 2014-09-01";
    assessment.lines.push_back(line);
    assessment.growth.push_back({"T1", "residual", "day-38", "volume", 38, 885.5, 3.88, {{Code::fast_growth_pair, "one pair; the residual size is approximate"}}});
    assessment.policies = {{"local_therapy", "keep"}};
    auto other = assessment;
    other.lines[0].pfs_text = "censored at 2013-07-05";
    result.alternatives.emplace("local_therapy=censor", other);
    result.settings = {{"segmentation method", "energy"}, {"recorded precision", "0.1 mm"}};
    result.inputs = {{"day-38: series 1.2.3", std::string(64, 'a')}};
    result.notices.push_back({Code::unreviewed, "No reader has looked at <script>alert(1)</script> yet."});
    return result;
}

}  // namespace retromass::test
