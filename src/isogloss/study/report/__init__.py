"""What a study found: `findings` puts the figures together, `claims` judges, `tables` and `page` write it down."""
