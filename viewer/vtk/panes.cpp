#include "viewer/vtk/panes.h"

#include <vtkCamera.h>
#include <vtkImageData.h>
#include <vtkImageProperty.h>
#include <vtkImageSlice.h>
#include <vtkImageSliceMapper.h>
#include <vtkNew.h>
#include <vtkRenderer.h>
#include <vtkTextActor.h>
#include <vtkTextProperty.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "viewer/vtk/lesion_model.h"
#include "viewer/vtk/strokes.h"

namespace retromass::viewer {

/// One plane: the picture with pixel (x, y) at (x, -y) mm of the pane, so that down is down.
class Panes::PlanePane {
public:
    PlanePane(vtkRenderWindow* window, Plane plane, std::array<double, 4> viewport)
        : plane_(plane), outline_(renderer_, kOutline, 1.5F), cursor_(renderer_, kCursor, 1.0F), prompt_(renderer_, kPrompt, 1.5F)
    {
        for (std::size_t i = 0; i < 3; ++i) {
            axes_[i] = std::make_unique<Lines>(renderer_, colour_of(static_cast<CaliperKind>(i)), 2.0F);
        }
        renderer_->SetViewport(viewport.data());
        renderer_->SetBackground(0, 0, 0);
        renderer_->GetActiveCamera()->ParallelProjectionOn();
        window->AddRenderer(renderer_);

        vtkNew<vtkImageSliceMapper> mapper;
        mapper->SetInputData(image_);
        slice_->SetMapper(mapper);
        slice_->GetProperty()->SetColorWindow(255);
        slice_->GetProperty()->SetColorLevel(127.5);
        slice_->GetProperty()->SetInterpolationTypeToLinear();

        caption_ = text_in(renderer_, 14, kText);
        place(caption_, 0.01, 0.985, VTK_TEXT_LEFT, VTK_TEXT_TOP);
        const std::array<std::array<double, 2>, 4> edges{{{0.015, 0.5}, {0.985, 0.5}, {0.5, 0.93}, {0.5, 0.015}}};
        for (std::size_t i = 0; i < 4; ++i) {
            letters_[i] = text_in(renderer_, 16, kText);
            place(letters_[i], edges[i][0], edges[i][1],
                  i == 0   ? VTK_TEXT_LEFT
                  : i == 1 ? VTK_TEXT_RIGHT
                           : VTK_TEXT_CENTERED,
                  i == 3   ? VTK_TEXT_BOTTOM
                  : i == 2 ? VTK_TEXT_TOP
                           : VTK_TEXT_CENTERED);
        }
        for (std::size_t i = 0; i < 3; ++i) {
            labels_[i] = text_in(renderer_, 14, colour_of(static_cast<CaliperKind>(i)));
            place(labels_[i], 0.01, 0.02 + 0.05 * static_cast<double>(i), VTK_TEXT_LEFT, VTK_TEXT_BOTTOM);
        }
    }

    void place_at(std::array<double, 4> viewport) { renderer_->SetViewport(viewport.data()); }
    void show(bool shown)
    {
        drawn_ = shown;
        renderer_->SetDraw(shown);
    }

    /// `title` stands before the caption.
    void draw(const Scene& scene, const View& view, const std::string& title = {})
    {
        const auto& ct = ct_of(scene, view);
        outline_.fade(view.outline_opacity);
        frame_ = plane_frame(ct.geometry, plane_, view.cursor);
        // Most turns of the wheel change one plane: what is there already is not computed again.
        const Sampled wanted{scene.timepoints[view.timepoint].ct, frame_, view.window};
        if (!shown_ || wanted != sampled_) draw_picture(ct, view.window);
        sampled_ = wanted;
        draw_mask_and_calipers(ct, lesion_of(scene, view));
        draw_cursor(view.cursor);

        caption_->SetInput((title + (title.empty() ? "" : "\n") + plane_caption(scene, view, frame_)).c_str());
        const auto at = edge_letters(frame_);
        const std::array<char, 4> shown{at.left, at.right, at.top, at.bottom};
        for (std::size_t i = 0; i < 4; ++i) letters_[i]->SetInput(std::string(1, shown[i]).c_str());
        point_camera(view);
    }

    std::optional<PatientPoint> point_under(int x, int y) const
    {
        if (!drawn_ || !renderer_->IsInViewport(x, y)) return std::nullopt;
        renderer_->SetDisplayPoint(x, y, 0);
        renderer_->DisplayToWorld();
        double world[4];
        renderer_->GetWorldPoint(world);
        return frame_.to_patient(world[0] / world[3] / frame_.pixel_x_mm, -world[1] / world[3] / frame_.pixel_y_mm);
    }
    Plane plane() const { return plane_; }

private:
    static constexpr double kBeforeThePicture = 1;
    struct Sampled {
        std::shared_ptr<const CtVolume> ct;
        PlaneFrame frame;
        Window window;
        bool operator==(const Sampled&) const = default;
    };
    struct Outlined {
        std::shared_ptr<const Mask> mask;
        PlaneFrame frame;
        bool operator==(const Outlined&) const = default;
    };

    std::array<double, 3> world(double x, double y) const
    {
        return {x * frame_.pixel_x_mm, -y * frame_.pixel_y_mm, kBeforeThePicture};
    }

    void draw_picture(const CtVolume& ct, Window window)
    {
        image_->SetDimensions(frame_.width, frame_.height, 1);
        image_->SetSpacing(frame_.pixel_x_mm, frame_.pixel_y_mm, 1);
        image_->SetOrigin(0, -(frame_.height - 1) * frame_.pixel_y_mm, 0);
        image_->AllocateScalars(VTK_UNSIGNED_CHAR, 1);
        auto* out = static_cast<unsigned char*>(image_->GetScalarPointer());
        const auto hu = sampled(ct, frame_);
        if (greys_.empty() || window != sampled_.window) greys_ = greys(window);
        const auto width = static_cast<std::size_t>(frame_.width);
        for (auto y = static_cast<std::size_t>(frame_.height); y-- > 0;) {  // the toolkit's rows run upwards
            for (std::size_t x = 0; x < width; ++x) *out++ = greys_[static_cast<std::size_t>(hu[y * width + x] - std::numeric_limits<std::int16_t>::min())];
        }
        image_->Modified();
        if (!shown_) renderer_->AddViewProp(slice_);
        shown_ = true;
    }

    void draw_mask_and_calipers(const CtVolume& ct, const LesionView* lesion)
    {
        prompt_.clear();
        for (auto& axis : axes_) axis->clear();
        for (auto& label : labels_) label->SetVisibility(false);
        const Outlined wanted{lesion ? lesion->mask : nullptr, frame_};
        if (wanted != outlined_) {
            outline_.clear();
            if (wanted.mask) {
                for (const auto& line : outline(*wanted.mask, ct.geometry, frame_)) outline_.add(world(line.x1, line.y1), world(line.x2, line.y2));
            }
            outline_.done();
            outlined_ = wanted;
        }
        if (lesion && lesion->measurements) {
            for (const auto& caliper : calipers(*lesion->measurements, ct.geometry, frame_)) {
                const auto which = static_cast<std::size_t>(caliper.kind);
                draw_caliper(*axes_[which], caliper);
                labels_[which]->SetInput(caliper.text.c_str());
                labels_[which]->SetVisibility(true);
            }
        }
        if (lesion) {
            for (const auto& line : prompt_lines(lesion->prompt, ct.geometry, frame_)) prompt_.add(world(line.x1, line.y1), world(line.x2, line.y2));
            for (const auto& line : edit_lines(lesion->strokes, ct.geometry, frame_)) prompt_.add(world(line.x1, line.y1), world(line.x2, line.y2));
        }
        prompt_.done();
        for (auto& axis : axes_) axis->done();
    }

    /// A caliper in the plane has ticks at its ends; a projected one is dashed.
    void draw_caliper(Lines& lines, const Caliper& caliper) const
    {
        const auto& l = caliper.line;
        if (!caliper.in_plane) {
            constexpr int dashes = 20;
            for (int i = 0; i < dashes; ++i) {
                const double from = static_cast<double>(i) / dashes;
                const double to = from + 0.5 / dashes;
                lines.add(world(l.x1 + from * (l.x2 - l.x1), l.y1 + from * (l.y2 - l.y1)),
                          world(l.x1 + to * (l.x2 - l.x1), l.y1 + to * (l.y2 - l.y1)));
            }
            return;
        }
        const auto a = world(l.x1, l.y1);
        const auto b = world(l.x2, l.y2);
        lines.add(a, b);
        const double length = std::hypot(b[0] - a[0], b[1] - a[1]);
        if (length <= 0) return;
        const double tick_mm = std::min(5.0, length / 4);
        const double x = -(b[1] - a[1]) / length * tick_mm;
        const double y = (b[0] - a[0]) / length * tick_mm;
        for (const auto& end : {a, b}) lines.add({end[0] - x, end[1] - y, end[2]}, {end[0] + x, end[1] + y, end[2]});
    }

    void draw_cursor(PatientPoint cursor)
    {
        const auto at = frame_.to_plane(cursor);
        const double right = frame_.width - 0.5;
        const double bottom = frame_.height - 0.5;
        // Short marks from the edges: the lesion stays free.
        const double reach_x = 0.06 * frame_.width;
        const double reach_y = 0.06 * frame_.height;
        cursor_.clear();
        cursor_.add(world(-0.5, at[1]), world(reach_x, at[1]));
        cursor_.add(world(right - reach_x, at[1]), world(right, at[1]));
        cursor_.add(world(at[0], -0.5), world(at[0], reach_y));
        cursor_.add(world(at[0], bottom - reach_y), world(at[0], bottom));
        cursor_.done();
    }

    void point_camera(const View& view)
    {
        const double wide_mm = frame_.width * frame_.pixel_x_mm;
        const double high_mm = frame_.height * frame_.pixel_y_mm;
        std::array<double, 3> centre = world((frame_.width - 1) / 2.0, (frame_.height - 1) / 2.0);
        if (view.zoom > 1) {
            const auto at = frame_.to_plane(view.cursor);
            centre = world(at[0], at[1]);
        }
        const auto by = frame_.to_plane(frame_.origin + view.pan);
        centre[0] += by[0] * frame_.pixel_x_mm;
        centre[1] -= by[1] * frame_.pixel_y_mm;
        const int* size = renderer_->GetSize();
        const double aspect = size[1] > 0 ? static_cast<double>(size[0]) / size[1] : 1;
        auto* camera = renderer_->GetActiveCamera();
        camera->SetFocalPoint(centre[0], centre[1], 0);
        camera->SetPosition(centre[0], centre[1], 1000);
        camera->SetViewUp(0, 1, 0);
        camera->SetParallelScale(std::max(high_mm / 2, wide_mm / 2 / aspect) / view.zoom);
        renderer_->ResetCameraClippingRange();
    }

    vtkNew<vtkRenderer> renderer_;
    Plane plane_;
    PlaneFrame frame_;
    vtkNew<vtkImageData> image_;
    vtkNew<vtkImageSlice> slice_;
    std::vector<std::uint8_t> greys_;  ///< of the window of `sampled_`
    Sampled sampled_;     ///< what the picture holds
    Outlined outlined_;   ///< what the outline holds
    bool shown_ = false;
    bool drawn_ = true;
    Lines outline_;
    Lines cursor_;
    Lines prompt_;
    std::array<std::unique_ptr<Lines>, 3> axes_;
    vtkSmartPointer<vtkTextActor> caption_;
    std::array<vtkSmartPointer<vtkTextActor>, 4> letters_;
    std::array<vtkSmartPointer<vtkTextActor>, 3> labels_;
};

/// The mask's surface, seen from the front, head up, with the three axes inside.
class Panes::SurfacePane {
public:
    SurfacePane(vtkRenderWindow* window, std::array<double, 4> viewport) : model_(renderer_)
    {
        renderer_->SetViewport(viewport.data());
        renderer_->BackingStoreOn();  // a turn of the wheel leaves it as it is
        window->AddRenderer(renderer_);
        text_ = text_in(renderer_, 14, kText);
        place(text_, 0.01, 0.985, VTK_TEXT_LEFT, VTK_TEXT_TOP);
    }

    void draw(const Scene& scene, const View& view)
    {
        const auto* lesion = lesion_of(scene, view);
        const auto mask = lesion ? lesion->mask : nullptr;
        if (drawn_ && mask == mask_) return;
        drawn_ = true;
        mask_ = mask;
        model_.show(lesion, ct_of(scene, view).geometry);
        text_->SetInput(model_.empty() ? "no mask" : "surface from the front, smoothed for the eye");
        if (model_.empty()) return;

        const auto bounds = model_.bounds();
        const PatientPoint centre{(bounds[0] + bounds[1]) / 2, (bounds[2] + bounds[3]) / 2, (bounds[4] + bounds[5]) / 2};
        auto* camera = renderer_->GetActiveCamera();
        camera->SetFocalPoint(xyz(centre).data());
        camera->SetPosition(xyz(centre + surface_towards_viewer()).data());
        camera->SetViewUp(0, 0, 1);
        renderer_->ResetCamera(bounds.data());
        camera->Zoom(1.2);
        renderer_->ResetCameraClippingRange();
    }

    bool covers(int x, int y) const { return shown_ && renderer_->IsInViewport(x, y) != 0; }
    void place_at(std::array<double, 4> viewport) { renderer_->SetViewport(viewport.data()); }
    void show(bool shown)
    {
        shown_ = shown;
        renderer_->SetDraw(shown);
    }

private:
    vtkNew<vtkRenderer> renderer_;
    LesionModel model_;
    vtkSmartPointer<vtkTextActor> text_;
    std::shared_ptr<const Mask> mask_;
    bool drawn_ = false;
    bool shown_ = true;
};

class Panes::TextStrip {
public:
    enum class Align { left, centre };
    TextStrip(vtkRenderWindow* window, std::array<double, 4> viewport, Colour background, int font, Align align)
    {
        renderer_->SetViewport(viewport.data());
        renderer_->SetBackground(background.red, background.green, background.blue);
        window->AddRenderer(renderer_);
        text_ = text_in(renderer_, font, {1, 1, 1});
        if (align == Align::left) {
            place(text_, 0.006, 0.95, VTK_TEXT_LEFT, VTK_TEXT_TOP);
        } else {
            place(text_, 0.5, 0.5, VTK_TEXT_CENTERED, VTK_TEXT_CENTERED);
        }
    }
    void show(const std::string& text) { text_->SetInput(text.c_str()); }
    void place_at(std::array<double, 4> viewport) { renderer_->SetViewport(viewport.data()); }

private:
    vtkNew<vtkRenderer> renderer_;
    vtkSmartPointer<vtkTextActor> text_;
};

/// The table of time points and lesions, a line each from the top; the lesion looked at is bright.
class Panes::TablePane {
public:
    TablePane(vtkRenderWindow* window, std::array<double, 4> viewport)
    {
        renderer_->SetViewport(viewport.data());
        renderer_->SetBackground(0.1, 0.1, 0.12);
        window->AddRenderer(renderer_);
    }
    void show(bool shown)
    {
        shown_ = shown;
        renderer_->SetDraw(shown);
    }
    void draw(std::vector<TableRow> rows)
    {
        rows_ = std::move(rows);
        while (lines_.size() < rows_.size()) lines_.push_back(text_in(renderer_, kFont_px, kText));
        const int top = renderer_->GetSize()[1];
        for (std::size_t i = 0; i < lines_.size(); ++i) {
            lines_[i]->SetVisibility(i < rows_.size());
            if (i >= rows_.size()) continue;
            lines_[i]->SetInput(rows_[i].text.c_str());
            lines_[i]->SetPosition(6, top - kLine_px * (static_cast<double>(i) + 1));
            const auto colour = rows_[i].looked_at ? Colour{1, 1, 1} : Colour{0.6, 0.6, 0.6};
            lines_[i]->GetTextProperty()->SetColor(colour.red, colour.green, colour.blue);
            lines_[i]->GetTextProperty()->SetBold(!rows_[i].lesion);
        }
    }
    std::optional<TableRow> row_under(int x, int y) const
    {
        if (!shown_ || !renderer_->IsInViewport(x, y)) return std::nullopt;
        const int* origin = renderer_->GetOrigin();
        const int below_top = renderer_->GetSize()[1] - (y - origin[1]);
        const auto row = static_cast<std::size_t>(std::max(0, below_top) / kLine_px);
        if (row >= rows_.size()) return std::nullopt;
        return rows_[row];
    }

private:
    static constexpr int kFont_px = 13;
    static constexpr int kLine_px = 20;
    vtkNew<vtkRenderer> renderer_;
    std::vector<vtkSmartPointer<vtkTextActor>> lines_;
    std::vector<TableRow> rows_;
    bool shown_ = false;
};

namespace {

constexpr double kFoot = 0.045;
constexpr double kHead = 0.91;
constexpr double kMiddle = (kFoot + kHead) / 2;
constexpr double kGap = 0.0015;
constexpr double kTable = 0.2;  // of the width

/// One of the four panes, where the table leaves `width`.
std::array<double, 4> pane(bool left, bool upper, double width)
{
    const double half = width / 2;
    return {left ? 0.0 : half + kGap, upper ? kMiddle + kGap : kFoot, left ? half - kGap : width, upper ? kHead : kMiddle - kGap};
}

}  // namespace

Panes::Panes(vtkRenderWindow* window)
{
    window->SetMultiSamples(0);  // lines of exact colour, and the same picture on every machine
    planes_[0] = std::make_unique<PlanePane>(window, Plane::axial, pane(true, true, 1));
    surface_ = std::make_unique<SurfacePane>(window, pane(false, true, 1));
    planes_[1] = std::make_unique<PlanePane>(window, Plane::coronal, pane(true, false, 1));
    planes_[2] = std::make_unique<PlanePane>(window, Plane::sagittal, pane(false, false, 1));
    beside_[0] = std::make_unique<PlanePane>(window, Plane::axial, pane(true, true, 1));
    beside_[1] = std::make_unique<PlanePane>(window, Plane::coronal, pane(true, false, 1));
    captions_ = std::make_unique<TextStrip>(window, std::array{0.0, kHead, 1.0, 1.0}, Colour{0.12, 0.12, 0.14}, 15,
                                            TextStrip::Align::left);
    band_ = std::make_unique<TextStrip>(window, std::array{0.0, 0.0, 1.0, kFoot}, kBand, 18,
                                        TextStrip::Align::centre);
    table_ = std::make_unique<TablePane>(window, std::array{1 - kTable, kFoot, 1.0, kHead});
    lay_out(View{});
}

Panes::~Panes() = default;

void Panes::lay_out(const View& view)
{
    const double width = view.table ? 1 - kTable : 1;
    const bool two = view.beside.has_value();
    planes_[0]->place_at(pane(!two, true, width));
    planes_[1]->place_at(pane(!two, false, width));
    planes_[2]->place_at(pane(false, false, width));
    beside_[0]->place_at(pane(true, true, width));
    beside_[1]->place_at(pane(true, false, width));
    surface_->place_at(pane(false, true, width));
    planes_[2]->show(!two);
    surface_->show(!two);
    for (auto& plane : beside_) plane->show(two);
    table_->show(view.table);
}

void Panes::draw(const Scene& scene, const View& view)
{
    lay_out(view);
    if (view.beside) {
        const auto other = beside(scene, view);
        from_beside_ = linked(scene, view).back;
        for (auto& plane : beside_) plane->draw(scene, other, link_caption(scene, view));
        for (const std::size_t i : {0u, 1u}) planes_[i]->draw(scene, view, scene.timepoints[view.timepoint].id);
    } else {
        for (auto& plane : planes_) plane->draw(scene, view);
        surface_->draw(scene, view);
    }
    if (view.table) table_->draw(table(scene, view));
    band_->show(band(scene, view));
    std::string text;
    const auto lines = captions(scene, view);
    constexpr std::size_t room = 4;  // lines the strip holds
    for (std::size_t i = 0; i < lines.size() && i < room; ++i) {
        const bool more = i + 1 == room && lines.size() > room;
        text += (i ? "\n" : "") + (more ? "... and " + std::to_string(lines.size() - i) + " more notices" : lines[i]);
    }
    captions_->show(text);
}

std::optional<TableRow> Panes::row(int x, int y) const { return table_->row_under(x, y); }

std::optional<Panes::Hit> Panes::hit(int x, int y) const
{
    for (const auto& plane : planes_) {
        if (const auto point = plane->point_under(x, y)) return Hit{plane->plane(), *point};
    }
    for (const auto& plane : beside_) {
        if (const auto point = plane->point_under(x, y)) return Hit{plane->plane(), from_beside_(*point), true};
    }
    return std::nullopt;
}

bool Panes::over_surface(int x, int y) const { return surface_->covers(x, y); }

}  // namespace retromass::viewer
