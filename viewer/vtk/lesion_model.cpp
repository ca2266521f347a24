#include "viewer/vtk/lesion_model.h"

#include <vtkPolyDataMapper.h>
#include <vtkProperty.h>

#include "viewer/vtk/surface.h"

namespace retromass::viewer {

LesionModel::LesionModel(vtkRenderer* renderer)
    : long_axis_(renderer, colour_of(CaliperKind::long_axis), 3),
      short_axis_(renderer, colour_of(CaliperKind::short_axis), 3),
      craniocaudal_(renderer, colour_of(CaliperKind::craniocaudal), 3)
{
    renderer->SetBackground(0.07, 0.08, 0.1);
    vtkNew<vtkPolyDataMapper> mapper;
    mapper->SetInputData(surface_);
    mapper->ScalarVisibilityOff();
    actor_->SetMapper(mapper);
    auto* look = actor_->GetProperty();
    look->SetColor(kSurface.red, kSurface.green, kSurface.blue);
    look->SetSpecular(0.2);
    look->SetOpacity(0.55);
    look->BackfaceCullingOn();  // one layer of a translucent shell needs no sorting
    renderer->AddActor(actor_);
}

void LesionModel::show(const LesionView* lesion, const VolumeGeometry& geometry)
{
    if (lesion && lesion->mask) surface_->ShallowCopy(surface_of(*lesion->mask, geometry));
    else surface_->Initialize();
    actor_->SetVisibility(!empty());
    for (auto* axis : {&long_axis_, &short_axis_, &craniocaudal_}) axis->clear();
    if (lesion && lesion->measurements) {
        const auto& m = *lesion->measurements;
        long_axis_.add(xyz(m.long_axis.a), xyz(m.long_axis.b));
        short_axis_.add(xyz(m.short_axis.a), xyz(m.short_axis.b));
        craniocaudal_.add(xyz(m.craniocaudal.a), xyz(m.craniocaudal.b));
    }
    for (auto* axis : {&long_axis_, &short_axis_, &craniocaudal_}) axis->done();
}

bool LesionModel::empty() const { return surface_->GetNumberOfPoints() == 0; }

std::array<double, 6> LesionModel::bounds() const
{
    std::array<double, 6> out{};
    surface_->GetBounds(out.data());
    return out;
}

}  // namespace retromass::viewer
