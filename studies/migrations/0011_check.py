from django.db import migrations, models

STAGES = [("instructions", "Instructions"), ("check", "Check"), ("trials", "Trials"), ("debrief", "Debrief")]


class Migration(migrations.Migration):
    """The check questions after the instructions."""

    dependencies = [("studies", "0010_exclusion_decided")]

    operations = [
        migrations.AddField(
            model_name="participantsession",
            name="check_attempts",
            field=models.PositiveSmallIntegerField(default=0),
        ),
        migrations.AlterField(
            model_name="participantsession",
            name="stage",
            field=models.CharField(choices=STAGES, default="instructions", max_length=16),
        ),
        migrations.AddIndex(
            model_name="event",
            index=models.Index(
                fields=["session", "seq"], condition=models.Q(("type", "check")), name="check_events"
            ),
        ),
    ]
