//! `medcert init` recognises the public sets by their headers, and writes a spec that reads them as they are.

use clap::Parser;
use medcert::cli::Cli;
use medcert::data::{Dataset, load};
use medcert::spec;

/// What the spec reads that `init` writes for the first of these files.
fn begun(files: &[(&str, &str)]) -> Dataset {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, content) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(path, content).expect("written");
    }
    let (table, out) = (folder.path().join(files[0].0), folder.path().join("set.yaml"));
    let words =
        ["medcert", "init", "--data", &table.display().to_string(), "--out", &out.display().to_string()];
    let cli = Cli::try_parse_from(words).expect("a command");
    assert_eq!(medcert::cli::run(&cli).expect("a spec"), 0);
    load(&spec::read(&out).expect("a spec"), None).expect("data")
}

fn labels(data: &Dataset) -> Vec<(&str, &str, bool)> {
    data.studies
        .iter()
        .map(|study| (study.id.as_str(), study.patient.as_str(), study.label.is_abnormal()))
        .collect()
}

#[test]
fn each_set_is_recognised_by_its_header() {
    let nih = "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position\n\
               1_0.png,Cardiomegaly|Emphysema,0,1,58,M,PA\n1_1.png,No Finding,1,1,58,M,AP\n";
    let data = begun(&[("nih.csv", nih), ("images/1_0.png", ""), ("images/1_1.png", "")]);
    assert_eq!(labels(&data), [("1_0.png", "1", true), ("1_1.png", "1", false)]);
    let names: Vec<&str> = data.studies[0].groups.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["view", "Patient Gender", "age band"]);

    let chexpert = "Path,Sex,Age,Frontal/Lateral,AP/PA,No Finding,Enlarged Cardiomediastinum\n\
                    C/train/patient1/study1/view1.jpg,Male,68,Frontal,AP,1.0,\n\
                    C/train/patient1/study1/view2.jpg,Male,68,Lateral,,1.0,\n\
                    C/train/patient2/study1/view1.jpg,Female,87,Frontal,PA,,1.0\n";
    let (one, other) = ("train/patient1/study1/view1.jpg", "train/patient2/study1/view1.jpg");
    let data = begun(&[("train.csv", chexpert), (one, ""), (other, "")]);
    assert_eq!(
        labels(&data),
        [
            ("C/train/patient1/study1/view1.jpg", "patient1", false),
            ("C/train/patient2/study1/view1.jpg", "patient2", true),
        ]
    );

    let rsna = "patientId,x,y,width,height,Target\na,1,1,2,2,1\na,3,3,2,2,1\nb,,,,,0\n";
    let data =
        begun(&[("r.csv", rsna), ("stage_2_train_images/a.dcm", ""), ("stage_2_train_images/b.dcm", "")]);
    assert_eq!(labels(&data), [("a", "a", true), ("b", "b", false)]);

    let vinbig = "image_id,class_name,class_id,rad_id\na,No finding,14,R1\na,ILD,5,R2\nb,No finding,14,R1\n";
    let data = begun(&[("v.csv", vinbig), ("train/a.dicom", ""), ("train/b.dicom", "")]);
    assert_eq!(labels(&data), [("a", "a", true), ("b", "b", false)]);

    let mimic =
        "dicom_id,subject_id,study_id,ViewPosition\nd1,10000032,5,PA\nd2,10000032,6,AP\nd3,10000032,6,LL\n";
    let data = begun(&[
        ("mimic-cxr-2.0.0-metadata.csv", mimic),
        ("mimic-cxr-2.0.0-chexpert.csv", "subject_id,study_id,No Finding\n10000032,5,1.0\n10000032,6,\n"),
        ("files/p10/p10000032/s5/d1.jpg", ""),
        ("files/p10/p10000032/s6/d2.jpg", ""),
    ]);
    assert_eq!(labels(&data), [("d1", "10000032", false), ("d2", "10000032", true)]);
}
