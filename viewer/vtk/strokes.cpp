#include "viewer/vtk/strokes.h"

#include <vtkCoordinate.h>
#include <vtkPolyDataMapper.h>
#include <vtkProperty.h>
#include <vtkTextProperty.h>

namespace retromass::viewer {

Colour colour_of(CaliperKind kind)
{
    switch (kind) {
        case CaliperKind::long_axis:
            return kLongAxis;
        case CaliperKind::short_axis:
            return kShortAxis;
        case CaliperKind::craniocaudal:
            return kCraniocaudal;
    }
    return kText;
}

Lines::Lines(vtkRenderer* renderer, Colour colour, float width)
{
    vtkNew<vtkPolyDataMapper> mapper;
    mapper->SetInputData(lines_);
    actor_->SetMapper(mapper);
    actor_->GetProperty()->SetColor(colour.red, colour.green, colour.blue);
    actor_->GetProperty()->SetLineWidth(width);
    actor_->GetProperty()->LightingOff();
    renderer->AddActor(actor_);
    clear();
}

void Lines::clear()
{
    points_ = vtkSmartPointer<vtkPoints>::New();
    cells_ = vtkSmartPointer<vtkCellArray>::New();
}

void Lines::add(const std::array<double, 3>& a, const std::array<double, 3>& b)
{
    cells_->InsertNextCell(2);
    cells_->InsertCellPoint(points_->InsertNextPoint(a.data()));
    cells_->InsertCellPoint(points_->InsertNextPoint(b.data()));
}

void Lines::fade(double opacity) { actor_->GetProperty()->SetOpacity(opacity); }

void Lines::done()
{
    lines_->SetPoints(points_);
    lines_->SetLines(cells_);
    lines_->Modified();
    actor_->SetVisibility(points_->GetNumberOfPoints() > 0);
}

vtkSmartPointer<vtkTextActor> text_in(vtkRenderer* renderer, int size, Colour colour)
{
    auto text = vtkSmartPointer<vtkTextActor>::New();
    auto* style = text->GetTextProperty();
    style->SetFontSize(size);
    style->SetColor(colour.red, colour.green, colour.blue);
    style->SetShadow(1);
    renderer->AddViewProp(text);
    return text;
}

void place(vtkTextActor* text, double x, double y, int horizontal, int vertical)
{
    text->GetPositionCoordinate()->SetCoordinateSystemToNormalizedViewport();
    text->SetPosition(x, y);
    text->GetTextProperty()->SetJustification(horizontal);
    text->GetTextProperty()->SetVerticalJustification(vertical);
}

}  // namespace retromass::viewer
